//! A plan that is made and not yet ready.

use std::marker::PhantomData;

use isol_core::{Allow, Backend, Command, Mode, Plan, Policy, Problem};
use isol_sys::{os::HOST, threads};

use crate::{Error, Ready, backends, identity};

/// What a plan is for, as a type.
pub trait Purpose {
    /// The mode of such a plan.
    const MODE: Mode;
}

/// Locking this process in.
#[derive(Clone, Copy, Debug)]
pub struct Enter;
/// Becoming the program.
#[derive(Clone, Copy, Debug)]
pub struct Exec;
/// Starting the program in a child.
#[derive(Clone, Copy, Debug)]
pub struct Spawn;

impl Purpose for Enter {
    const MODE: Mode = Mode::Enter;
}
impl Purpose for Exec {
    const MODE: Mode = Mode::Exec;
}
impl Purpose for Spawn {
    const MODE: Mode = Mode::Spawn;
}

/// A plan for one purpose: to be read, or made ready.
#[derive(Debug)]
#[must_use]
pub struct Planned<P> {
    plan: Plan,
    policy: Policy,
    command: Option<Command>,
    purpose: PhantomData<P>,
}

impl<P: Purpose> Planned<P> {
    pub(crate) fn new(plan: Plan, policy: Policy, command: Option<Command>) -> Self {
        Self { plan, policy, command, purpose: PhantomData }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Changes the plan: for proofs that a step is needed, and for fault injection.
    pub fn change(mut self, change: impl FnOnce(Plan) -> Plan) -> Self {
        self.plan = change(self.plan);
        self
    }

    /// Makes the plan ready: every look at the host, every check that can refuse.
    ///
    /// # Errors
    /// What stands in the way; nothing stays behind then.
    pub fn prepare(self) -> Result<Ready<P>, Error> {
        check_host(&self.plan, &self.policy)?;
        if P::MODE != Mode::Spawn && !self.policy.allow.contains(Allow::Threads) {
            check_threads()?;
        }
        let every_thread = self.policy.allow.contains(Allow::Threads);
        Ok(Ready::new(self.plan.prepare(self.command)?, every_thread))
    }
}

fn check_host(plan: &Plan, policy: &Policy) -> Result<(), Error> {
    let name = plan.backend();
    if plan.os() != HOST {
        let why = format!("it runs on {}, and this is {HOST}", plan.os());
        return Err(Problem::new("backend", format!("{name} can't be run here"), why)
            .help("--backend auto takes one that can; `isol plan` prints the plan all the same")
            .into());
    }
    let Some(backend) = backends::by_name(name) else { return Ok(()) };
    match backend.available() {
        Ok(()) => Ok(()),
        Err(unavailable) => {
            let serves =
                |b: &&&'static dyn Backend| b.available().is_ok() && backends::offers(**b, policy);
            let other = backends::all().iter().find(serves);
            let help = match other {
                Some(other) => Some(format!("--backend {} works here", other.name())),
                None => as_somebody_else(policy).or(unavailable.help),
            };
            let mut reasons = vec![unavailable.reason];
            if other.is_none() {
                reasons.extend(backends::others_lack(name, policy));
            }
            let what = format!("{name} can't be run here");
            let mut problem = Problem::new("backend", what, reasons.join("; "));
            problem.help = help;
            Err(problem.into())
        }
    }
}

/// How an ordinary user could be whom the policy names, with a backend that could be run.
fn as_somebody_else(policy: &Policy) -> Option<String> {
    let backend = backends::all().iter().find(|b| b.runs_as_caller())?;
    backend.available().ok()?;
    identity::caller(policy).err()?.problem().help
}

fn check_threads() -> Result<(), Error> {
    let (what, help) = ("this process can't be isolated", "isolate it before it starts threads");
    match threads::others() {
        Ok(0) => Ok(()),
        Ok(1) => Err(Problem::new("threads", what, "it has another thread").help(help).into()),
        Ok(n) => Err(Problem::new("threads", what, format!("it has {n} other threads"))
            .help(help)
            .into()),
        Err(error) => {
            let what = "this process has other threads, and they can't be counted";
            Err(Problem::io("threads", what, &error).help(help).into())
        }
    }
}
