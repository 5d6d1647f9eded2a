//! What Linux lets a process give up by itself, whatever the backend is.

use isol_core::{Allow, GuaranteeSet, Layers, Mode, Os, PlanError, Request, Seccomp};
use isol_sys::{filter, os::HOST};

use crate::landlock::Restrict;
use crate::seccomp::Filter;

/// Adds the steps that the policy asks for, by [`isol_core::Policy::seccomp`] and
/// [`isol_core::Policy::landlock`], behind all others of a backend of Linux's. `rest` are the guarantees of the backend's
/// that rest on the default filter: they are given up without it.
///
/// # Errors
/// What is asked for and this system, or this build, has not.
pub fn shut_in(
    mut layers: Layers,
    request: &Request<'_>,
    backend: &'static str,
    rest: GuaranteeSet,
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
    // A plan for another machine is one for a machine that has them.
    let built_in = HOST != Os::Linux || filter::BUILT_IN;
    if policy.seccomp.is_asked_for() && !built_in {
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
    let filtered = on_linux && built_in && policy.seccomp != Seccomp::None;
    let stays_root = request.identity.is_root();
    if filtered {
        layers = layers.with(Filter::new(policy.seccomp.clone(), stays_root, policy.tell_refusals));
    }
    if !filtered || matches!(policy.seccomp, Seccomp::File(_)) {
        layers = layers.giving_up(format!("--seccomp {}", policy.seccomp), rest);
    }
    Ok(layers)
}
