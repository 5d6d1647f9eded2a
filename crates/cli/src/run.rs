//! `isol run`

use std::process::ExitCode;
use std::time::Duration;

use isol::{Allow, Confined, Guarantee, Isolation, Problem, Root, Seccomp, Syslog, User, host};

use crate::{arguments, output, policy, supervise};

pub(crate) fn run(arguments: arguments::Run) -> Result<ExitCode, Problem> {
    let options = &arguments.options;
    let command = policy::command(&arguments.program)?;
    let mut policy = policy::policy(options)?;
    policy.tell_refusals = arguments.how.verbose;
    let unfiltered = policy.seccomp == Seccomp::None;
    let (isolation, supervised) =
        supervised(policy::isolation(policy, options)?, arguments.how.timeout)?;
    if supervised {
        return supervise::run(isolation, command, &arguments);
    }
    isol::sweep();
    let ready = isolation
        .plan_exec(command)
        .and_then(isol::Planned::prepare)
        .map_err(|error| error.problem())?
        .on_failure(output::tell(options.often.json));
    if arguments.how.verbose {
        report(&ready.confined(), unfiltered);
    }
    Err(ready.exec().problem())
}

/// Whether something has to outlive the program or to clean up behind it. Then the
/// program is to die with isol.
pub(crate) fn supervised(
    isolation: Isolation,
    timeout: Option<Duration>,
) -> Result<(Isolation, bool), Problem> {
    let policy = isolation.policy();
    let stuck_to_terminal =
        || !policy.allow.contains(Allow::Terminal) && host::leads_a_group() && host::has_terminal();
    let supervised = matches!(policy.root, Root::ThrowAway { .. })
        || policy.user == User::Auto
        || policy.syslog != Syslog::Off
        || timeout.is_some()
        || isolation.stays_outside().map_err(|error| error.problem())?
        || stuck_to_terminal();
    let dies = supervised && host::HOST.has_parent_death_signal();
    Ok((if dies { isolation.die_with_parent() } else { isolation }, supervised))
}

/// What `-v` says.
pub(crate) fn report(confined: &Confined, unfiltered: bool) {
    let list = |guarantees: Vec<Guarantee>| {
        guarantees.into_iter().map(Guarantee::id).collect::<Vec<_>>().join(" ")
    };
    output::remark(format_args!(
        "in force on {}: {}",
        confined.backend(),
        list(confined.guarantees().iter().collect())
    ));
    if !confined.relaxed().is_empty() {
        output::remark(format_args!("given up: {}", list(confined.relaxed().iter().collect())));
    }
    for (guarantee, reason) in confined.not_held() {
        output::remark(format_args!("not in force: {guarantee}: {reason}"));
    }
    if unfiltered {
        output::remark(format_args!(
            "note: the default filter of system calls is not there: --seccomp none"
        ));
    }
    for note in confined.notes() {
        output::remark(format_args!("note: {note}"));
    }
}
