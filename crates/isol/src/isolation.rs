//! From a policy to a plan.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use isol_core::{Command, Mode, Plan, PlanError, Policy, PolicyError, Request};
use isol_sys::os::HOST;

use crate::planned::{Enter, Exec, Planned, Purpose, Spawn};
use crate::{Choice, Confined, Error, Preloaded, Running, identity, looking};

/// A policy that is to be carried out on this host.
///
/// ```no_run
/// use isol::{Command, Isolation, Policy, User};
/// let policy = Policy::confine("/srv/www").user(User::Name("www".into())).build()?;
/// let mut running = Isolation::new(policy).spawn(Command::new("/bin/httpd"))?;
/// println!("{:?} ended with {:?}", running.child().pid(), running.wait()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Isolation {
    policy: Policy,
    choice: Choice,
    /// Whether something of this process is to be there inside.
    preloaded: bool,
}

impl Isolation {
    /// Any backend that holds what the policy requires.
    pub fn new(policy: Policy) -> Self {
        Self { policy, choice: Choice::Auto, preloaded: false }
    }

    /// A backend of one's choice.
    pub fn backend(mut self, choice: Choice) -> Self {
        self.choice = choice;
        self
    }

    /// What was brought in before is there inside: its descriptors are passed on, its variables set. For
    /// [`enter`](Self::enter) alone: a program that is executed would find nothing of it.
    pub fn preloaded(mut self, preloaded: &Preloaded) -> Self {
        self.preloaded = true;
        self.policy.pass_fds.extend(preloaded.descriptors());
        let variables = preloaded.variables().iter().cloned();
        // What the policy says of a variable itself comes behind, and counts.
        self.policy.environment.set.splice(0..0, variables);
        self
    }

    /// Has the program killed when this process dies.
    pub fn die_with_parent(mut self) -> Self {
        self.policy.die_with_parent = true;
        self
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the program has to be [spawned](Self::spawn) to be what it would be by itself: somebody stays outside as its
    /// parent, whatever the mode.
    ///
    /// # Errors
    /// No backend holds all that the policy requires.
    pub fn stays_outside(&self) -> Result<bool, PlanError> {
        Ok(self.choice.make(&self.policy)?.stays_outside(&self.policy))
    }

    /// The plan that would be carried out, for reading. Needs no privilege.
    ///
    /// # Errors
    /// What of the policy can't be done.
    pub fn plan(&self, mode: Mode, command: Option<&Command>) -> Result<Plan, PlanError> {
        if let Some(command) = command {
            check_nul(command)?;
        }
        if self.preloaded && mode != Mode::Enter {
            return Err(PlanError::CantHonour {
                backend: "isol",
                what: "what was preloaded".into(),
                reason: format!("execve(2) leaves nothing of this process, and the mode is {mode}"),
                help: Some("preload for enter() only".into()),
            });
        }
        let backend = self.choice.make(&self.policy)?;
        let identity = match backend.runs_as_caller() {
            true => identity::caller(&self.policy)?,
            false => identity::resolve(&self.policy)?,
        };
        let request = Request {
            policy: &self.policy,
            identity: &identity,
            mode,
            command,
            os: backend.plans_for(HOST),
        };
        let preparations = looking::preparations(&request, backend.runs_as_caller())?;
        isol_steps::assemble(backend, &request, preparations)
    }

    fn planned<P: Purpose>(self, command: Option<Command>) -> Result<Planned<P>, Error> {
        let plan = self.plan(P::MODE, command.as_ref())?;
        Ok(Planned::new(plan, self.policy, command))
    }

    /// Plans to lock this process in.
    ///
    /// # Errors
    /// What of the policy can't be done.
    pub fn plan_enter(self) -> Result<Planned<Enter>, Error> {
        self.planned(None)
    }

    /// Plans to make this process the program.
    ///
    /// # Errors
    /// What of the policy can't be done.
    pub fn plan_exec(self, command: Command) -> Result<Planned<Exec>, Error> {
        self.planned(Some(command))
    }

    /// Plans to start the program in a child.
    ///
    /// # Errors
    /// What of the policy can't be done.
    pub fn plan_spawn(self, command: Command) -> Result<Planned<Spawn>, Error> {
        self.planned(Some(command))
    }

    /// Locks this process in, for good.
    ///
    /// Descriptors above 2 are closed but for those that the policy passes, the
    /// environment becomes the policy's, and ignored signals but `SIGPIPE` are no
    /// longer ignored; handlers stay. Call it before starting threads.
    ///
    /// # Errors
    /// What stands in the way; the process is what it was. If a step fails once the
    /// process has begun to change, the process says so on standard error and ends
    /// with status 125: it never goes on half isolated.
    ///
    /// # References
    /// chroot(2), setresuid(2), capabilities(7), close_range(2)
    pub fn enter(self) -> Result<Confined, Error> {
        self.plan_enter()?.prepare()?.enter()
    }

    /// Makes this process the program.
    ///
    /// # Errors
    /// As for [`enter`](Isolation::enter); it returns only with one. Once the process
    /// has begun to change, a failure ends it with status 125, 126 or 127.
    ///
    /// # References
    /// execve(2)
    pub fn exec(self, command: Command) -> Error {
        match self.plan_exec(command).and_then(Planned::prepare) {
            Ok(ready) => ready.exec(),
            Err(error) => error,
        }
    }

    /// Starts the program in a child.
    ///
    /// # Errors
    /// What stands in the way; nothing runs then, and nothing stays behind.
    ///
    /// # References
    /// clone(2), execve(2)
    pub fn spawn(self, command: Command) -> Result<Running, Error> {
        self.plan_spawn(command)?.prepare()?.spawn()
    }
}

fn check_nul(command: &Command) -> Result<(), PolicyError> {
    let has_nul = |text: &OsStr| text.as_bytes().contains(&0);
    if has_nul(command.program().as_os_str()) {
        return Err(PolicyError::Nul("the program's path"));
    }
    if command.arguments().any(|argument| has_nul(argument)) {
        return Err(PolicyError::Nul("an argument"));
    }
    Ok(())
}
