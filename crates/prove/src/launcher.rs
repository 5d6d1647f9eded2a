//! The caller: a process in a bad state that isolates, as it was told.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use isol::{Choice, Error, Isolation, Planned, Purpose};
use isol_core::{
    Allow, Bind, Command, Environment, Gid, Group, Mode, Network, Plan, Policy, PolicyError,
    Problem, Seccomp, Syslog, ThreadScope, Tmpfs, Uid, User,
};
use isol_sys::attempts;
use isol_sys::environment::CStrings;
use isol_sys::process::Pid;

use crate::agent;
use crate::attack;
use crate::channel::{Channel, Order, Refusal, Report};
use crate::faults::{Failing, Lying};
use crate::scenario::{How, ModeName, Scenario, Who};
use crate::taint;

/// The number under which the attacker inside finds its channel.
pub(crate) const CHANNEL: i32 = 40;
/// What the policy asks for, beside what a scenario says.
pub(crate) const UMASK: u32 = 0o027;
/// On every host, too: a program that is not in the root is there all the same, and notices nothing.
pub(crate) const WORKDIR: &str = "/var";
pub(crate) const LIMITS: [&str; 2] = ["nofile=200:256", "fsize=64M:64M"];
pub(crate) const ENVIRONMENT: [(&str, &str); 1] = [("KEPT", "yes")];

/// Leads a session with a terminal, and has a child in it do the rest.
pub(crate) fn launch() -> i32 {
    let Ok(channel) = Channel::standard_input() else { return 2 };
    let Ok(Some(Order::Scenario(scenario))) = channel.receive() else { return 2 };
    let terminal = terminal();
    // Where there is no such thing, a process that is left behind is looked for by its uid only.
    let _ = attempts::adopt_orphans();
    if channel.send(&Report::Caller(Pid::own().get())).is_err() {
        return 2;
    }
    let mut channel = Some(channel);
    let child = attempts::fork(&mut || {
        let Some(channel) = channel.take() else { return 2 };
        caller(channel, &scenario, terminal.as_ref())
    });
    // What is left open here would keep the prover from seeing the end.
    drop(channel.take());
    let Ok(child) = child else { return 2 };
    let _ = isol_sys::descriptors::put(null().as_raw_fd(), 0);
    let status = attempts::reap(child).map_or(2, |(status, _)| status.code());
    // What is left of it is this one's child by now.
    match attempts::has_children(PATIENCE) {
        Ok(false) => status,
        _ => LEFT_BEHIND,
    }
}

/// How long what a caller has started may take to end behind it.
const PATIENCE: Duration = Duration::from_millis(500);
/// The status of a caller that has left a process behind, whosever it is.
pub(crate) const LEFT_BEHIND: i32 = 99;

type Terminal = (OwnedFd, OwnedFd);

fn terminal() -> Option<Terminal> {
    isol_sys::session::start().ok()?;
    let (master, slave) = attempts::make_terminal().ok()?;
    attempts::take_terminal(slave.as_raw_fd()).ok()?;
    Some((master, slave))
}

fn null() -> std::fs::File {
    std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .unwrap_or_else(|error| panic!("/dev/null: {error}"))
}

fn caller(channel: Channel, scenario: &Scenario, terminal: Option<&Terminal>) -> i32 {
    match try_caller(channel, scenario, terminal) {
        Ok(status) => status,
        Err(problem) => {
            tell(&problem);
            125
        }
    }
}

/// How a failure is told: on the channel, under its number.
fn tell(problem: &Problem) {
    if let Ok(channel) = Channel::numbered(CHANNEL) {
        let _ = channel.send(&Report::Refused(Refusal::from(problem)));
    }
}

fn try_caller(
    channel: Channel,
    scenario: &Scenario,
    terminal: Option<&Terminal>,
) -> Result<i32, Problem> {
    let cant = |what: &'static str| move |error: io::Error| Problem::io("prove", what, &error);
    attempts::put_at(channel.into_fd(), CHANNEL, true)
        .map_err(|errno| Problem::call("prove", "can't place the channel", errno))?;
    standard(scenario, terminal).map_err(cant("can't place the standard descriptors"))?;
    if scenario.bad_caller {
        taint::all(scenario).map_err(cant("can't get into a bad state"))?;
    }
    match &scenario.how {
        How::Unisolated => {}
        How::UidOnly => uid_only(scenario)
            .map_err(|errno| Problem::call("prove", "can't become the uid", errno))?,
        How::Tool { words } => return Err(tool(words)),
        How::Isol { backend, mode } => return isolate(scenario, backend, *mode),
    }
    attack_from_here()
}

/// This process is the attacker.
fn attack_from_here() -> Result<i32, Problem> {
    let begun = agent::Begun::look();
    let channel = Channel::numbered(CHANNEL)
        .map_err(|error| Problem::io("prove", "can't find the channel", &error))?;
    Ok(agent::serve(&channel, &begun))
}

/// 0 is the terminal, 1 a file that can be written only, 2 is closed.
fn standard(scenario: &Scenario, terminal: Option<&Terminal>) -> io::Result<()> {
    let file = std::fs::File::options().append(true).open(scenario.outside.join("stdout"));
    isol_sys::descriptors::put(file.unwrap_or_else(|_| null()).as_raw_fd(), 1)?;
    match terminal {
        Some((master, slave)) => {
            isol_sys::descriptors::put(slave.as_raw_fd(), 0)?;
            // The other end is the caller's caller's.
            attempts::close(master.as_raw_fd())?;
            attempts::close(slave.as_raw_fd())?;
        }
        None => isol_sys::descriptors::put(null().as_raw_fd(), 0)?,
    }
    if scenario.bad_caller {
        attempts::close(2)?
    } else {
        isol_sys::descriptors::put(1, 2)?
    }
    Ok(())
}

fn uid_only(scenario: &Scenario) -> Result<(), isol_core::Errno> {
    let Who::Id(id) = scenario.user else { return Ok(()) };
    let (Some(uid), Some(gid)) = (Uid::new(id), Gid::new(id)) else { return Ok(()) };
    let groups: Vec<_> = scenario.groups.iter().filter_map(|&g| Gid::new(g)).collect();
    isol_sys::ids::GroupList::new(gid, &groups).set(ThreadScope::Alone)?;
    isol_sys::ids::set_gid(gid, ThreadScope::Alone)?;
    isol_sys::ids::set_uid(uid, ThreadScope::Alone)
}

/// Becomes another tool, in the state that this process is in.
fn tool(words: &[String]) -> Problem {
    let wrong = || Problem::new("prove", "the tool's command line has a NUL byte in it", "");
    let Some(arguments) = CStrings::new(words.iter().map(OsString::from)) else { return wrong() };
    let variables: Vec<_> = std::env::vars_os().collect();
    let Some(environment) = CStrings::environment(&variables) else { return wrong() };
    let program = words.first().map_or("", String::as_str);
    let errno = isol_sys::exec::execute(&attack::raw(program), &arguments, &environment);
    Problem::call("prove", format!("can't execute {program}"), errno)
}

fn isolate(scenario: &Scenario, backend: &str, mode: ModeName) -> Result<i32, Problem> {
    let (isolation, command) = isolation(scenario, backend, mode)?;
    let problem = |error: Error| error.problem();
    match mode {
        ModeName::Enter => {
            let ready = changed(isolation.plan_enter(), scenario)?.prepare().map_err(problem)?;
            // It ends the process itself if a step fails.
            let _confined = ready.on_failure(tell).enter().map_err(problem)?;
            attack_from_here()
        }
        ModeName::Exec => {
            let ready =
                changed(isolation.plan_exec(command), scenario)?.prepare().map_err(problem)?;
            Err(ready.on_failure(tell).exec().problem())
        }
        ModeName::Spawn => {
            let ready =
                changed(isolation.plan_spawn(command), scenario)?.prepare().map_err(problem)?;
            let mut running = ready.spawn().map_err(problem)?;
            // The prover waits for the end of the one inside, not of this one.
            attempts::close(CHANNEL)
                .map_err(|errno| Problem::call("prove", "can't close the channel", errno))?;
            let status =
                running.wait().map_err(|error| Problem::io("prove", "can't wait", &error))?;
            Ok(status.code())
        }
    }
}

fn isolation(
    scenario: &Scenario,
    backend: &str,
    mode: ModeName,
) -> Result<(Isolation, Command), Problem> {
    let named = isol::backend_by_name(backend)
        .ok_or_else(|| Problem::new("backend", format!("there is no backend {backend}"), ""))?;
    let policy = policy(scenario, mode).map_err(|error| Error::from(error).problem())?;
    let command = Command::new(&scenario.executable).args(agent::inside_words());
    Ok((Isolation::new(policy).backend(Choice::Backend(named)), command))
}

fn policy(scenario: &Scenario, mode: ModeName) -> Result<Policy, PolicyError> {
    let builder = match &scenario.user {
        Who::Allotted => Policy::throw_away([]).user(User::Auto),
        Who::Name(name) => Policy::confine(&scenario.root).user(User::Name(name.clone())),
        Who::Id(id) => {
            let uid = Uid::new(*id).ok_or(PolicyError::NoChangeId)?;
            Policy::confine(&scenario.root).user(User::Id(uid))
        }
    };
    let kept = scenario.user != Who::Allotted;
    let set = ENVIRONMENT.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    let groups = scenario.groups.iter().filter_map(|&g| Gid::new(g)).map(Group::Id);
    let mut builder = builder
        .groups(groups)
        .workdir(if kept { WORKDIR } else { "/tmp" })
        .environment(Environment { set, ..Environment::default() })
        .pass_fds([CHANNEL])
        .limits(LIMITS.iter().filter_map(|limit| limit.parse().ok()))
        .umask(UMASK)
        .die_with_parent(mode == ModeName::Spawn && isol_sys::os::HOST.has_parent_death_signal());
    for &guarantee in &scenario.require {
        builder = builder.require(guarantee);
    }
    for allow in scenario.allow.iter().filter_map(|name| name.parse::<Allow>().ok()) {
        builder = builder.allow(allow);
    }
    builder = builder.landlock(scenario.landlock.iter().filter_map(|word| word.parse().ok()));
    if scenario.unfiltered {
        builder = builder.seccomp(Seccomp::None);
    }
    if scenario.mounts {
        let (source, target) = (scenario.outside.clone(), "/mnt".into());
        let tmpfs = Tmpfs { target: "/home".into(), size: Some(1 << 20) };
        builder =
            builder.bind(Bind { source, target, read_only: true }).tmpfs(tmpfs).read_only(true);
    }
    for bind in scenario.binds.iter().filter_map(|bind| bind.parse().ok()) {
        builder = builder.bind(bind);
    }
    if scenario.network_off {
        builder = builder.network(Network::None);
    }
    if let Some(to) = &scenario.syslog {
        builder = builder.syslog(Syslog::Socket(to.clone()));
    }
    if let Some(hostname) = &scenario.hostname {
        builder = builder.hostname(hostname);
    }
    builder.build()
}

/// The plan that a scenario leads to, as it is before anything is cut.
pub(crate) fn plan(scenario: &Scenario) -> Result<Plan, Problem> {
    let How::Isol { backend, mode } = &scenario.how else {
        return Err(Problem::new("prove", "there is no plan", "isol does not isolate here"));
    };
    let (isolation, command) = isolation(scenario, backend, *mode)?;
    let command = (*mode != ModeName::Enter).then_some(command);
    isolation.plan((*mode).into(), command.as_ref()).map_err(|error| Error::from(error).problem())
}

/// The plan, without the steps that the scenario cuts, and with those that it has fail or lie.
fn changed<P: Purpose>(
    planned: Result<Planned<P>, Error>,
    scenario: &Scenario,
) -> Result<Planned<P>, Problem> {
    let planned = planned.map_err(|error| error.problem())?;
    let names: Vec<_> = planned.plan().steps().map(|step| step.name()).collect();
    let lying = scenario.lying.iter();
    let failing = scenario.fault.iter().map(|fault| &fault.step);
    if let Some(unknown) = lying.chain(failing).find(|name| !names.contains(&name.as_str())) {
        return Err(Problem::new("prove", format!("the plan has no step {unknown}"), ""));
    }
    Ok(planned.change(|plan| change(plan, scenario)))
}

fn change(mut plan: Plan, scenario: &Scenario) -> Plan {
    for name in &scenario.without {
        if plan.steps().any(|step| step.name() == name) {
            plan = plan.without(name).unwrap_or_else(|| unreachable!("it has just been seen"));
        }
    }
    if let Some(name) = &scenario.lying {
        plan = plan
            .replace(name, |step| Box::new(Lying(step)))
            .unwrap_or_else(|| unreachable!("it has been looked for"));
    }
    if let Some(fault) = &scenario.fault {
        plan = plan
            .replace(&fault.step, |step| Box::new(Failing::new(step, fault)))
            .unwrap_or_else(|| unreachable!("it has been looked for"));
    }
    plan
}

/// The parent-death signal that the policy asks for.
pub(crate) fn parent_death_signal(mode: Mode) -> i32 {
    if mode == Mode::Spawn && isol_sys::os::HOST.has_parent_death_signal() { 9 } else { 0 }
}
