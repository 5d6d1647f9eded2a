//! What Linux lets a process give up by itself, whatever the backend is.

use isol_core::{Allow, Layers, Mode, Os, PlanError, Request, Seccomp};
use isol_sys::{filter, os::HOST};

use crate::landlock::Restrict;
use crate::seccomp::Filter;

/// Adds the steps that the policy asks for, by [`isol_core::Policy::seccomp`] and
/// [`isol_core::Policy::landlock`], behind all others of a backend of Linux's. With `confines` the backend leaves what
/// no namespace confines to the filter, which [confines](filter_confines) it.
///
/// # Errors
/// What is asked for and this system, or this build, has not.
pub fn shut_in(
    mut layers: Layers,
    request: &Request<'_>,
    backend: &'static str,
    confines: bool,
) -> Result<Layers, PlanError> {
    let policy = request.policy;
    let cant = |what: &str, reason: &str, help: &str| {
        let (what, reason, help) = (what.to_owned(), reason.to_owned(), Some(help.to_owned()));
        Err(PlanError::CantHonour { backend, what, reason, help })
    };
    let on_linux = request.os == Os::Linux;
    if policy.seccomp.is_asked_for() && !on_linux {
        return cant("a filter of system calls", "seccomp is Linux's", "leave --seccomp out");
    }
    if policy.seccomp.is_asked_for() && !is_built_in() {
        return cant(
            "a filter of system calls",
            "isol can make one on x86-64 and AArch64",
            "leave --seccomp out",
        );
    }
    if policy.landlock.is_asked_for() {
        if !on_linux {
            return cant("Landlock", "it is Linux's", "leave --landlock out");
        }
        if request.mode == Mode::Enter && policy.allow.contains(Allow::Threads) {
            let reason = "it confines the thread that asks for it, and there may be others";
            return cant("Landlock", reason, "isolate the process before it starts threads");
        }
        layers = layers.with(Restrict::new(&policy.landlock));
    }
    if on_linux && is_built_in() && policy.seccomp != Seccomp::None {
        layers = layers.with(Filter::new(request, confines));
    }
    Ok(layers)
}

/// Whether the filter that [`shut_in`] adds refuses what no namespace confines: sockets to the machine's host (vsock),
/// keyrings, and io_uring, by which both could be had. One that has somebody told of it is no such filter: what is
/// refused rests on who listens.
#[must_use]
pub fn filter_confines(request: &Request<'_>) -> bool {
    let (policy, rules) = (request.policy, ["vsock", "keys", "io-uring"]);
    is_built_in() && !policy.tell_refusals && rules.iter().all(|rule| policy.seccomp.has(rule))
}

/// A plan for another machine is one for a machine that has it.
fn is_built_in() -> bool {
    HOST != Os::Linux || filter::BUILT_IN
}
