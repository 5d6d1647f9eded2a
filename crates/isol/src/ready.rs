//! A plan that is ready, and a program that runs by it.

use std::io::{self, Write};
use std::marker::PhantomData;
use std::sync::Arc;

use isol_core::{Prepared, Problem, ThreadScope};
use isol_steps::{Child, Image, LaunchError, become_program, lock_in, spawn};
use isol_sys::exec::end;
use isol_sys::filter::Refusals;
use isol_sys::process::Status;

use crate::planned::{Enter, Exec, Spawn};
use crate::{Confined, Error, Spawner};

/// A plan for which everything has been done that can be refused.
#[derive(Debug)]
#[must_use]
pub struct Ready<P> {
    prepared: Prepared,
    every_thread: bool,
    tell: fn(&Problem),
    purpose: PhantomData<P>,
}

impl<P> Ready<P> {
    pub(crate) fn new(prepared: Prepared, every_thread: bool) -> Self {
        Self { prepared, every_thread, tell: tell_standard_error, purpose: PhantomData }
    }

    /// How a failure is told that ends this process; without it, on standard error.
    pub fn on_failure(mut self, tell: fn(&Problem)) -> Self {
        self.tell = tell;
        self
    }

    /// What will be in force.
    pub fn confined(&self) -> Confined {
        Confined::new(self.prepared.plan(), self.notes())
    }

    /// What was noticed though it stops nothing.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.prepared.scene().notes
    }

    fn end(&self, error: &LaunchError) -> ! {
        let problem = error.problem();
        (self.tell)(&problem);
        end(i32::from(problem.kind.exit_status()))
    }
}

impl Ready<Enter> {
    /// Locks this process in.
    ///
    /// # Errors
    /// None yet: a step that fails ends the process, with status 125.
    pub fn enter(self) -> Result<Confined, Error> {
        let scope = if self.every_thread { ThreadScope::Every } else { ThreadScope::Alone };
        if let Err(error) = lock_in(&self.prepared, scope) {
            self.end(&error);
        }
        let confined = self.confined();
        // Its descriptors are closed by now, and nothing of it may be undone from inside.
        self.prepared.leak();
        Ok(confined)
    }
}

impl Ready<Exec> {
    /// Makes this process the program; returns only if it was no program to begin with.
    pub fn exec(self) -> Error {
        let image = match Image::new(&self.prepared) {
            Ok(image) => image,
            Err(error) => return error.into(),
        };
        let error = become_program(&self.prepared, &image);
        self.end(&error)
    }
}

impl Ready<Spawn> {
    /// Starts the program in a child.
    ///
    /// # Errors
    /// What kept it from starting; nothing runs then, and nothing stays behind.
    pub fn spawn(self) -> Result<Running, Error> {
        let image = Image::new(&self.prepared)?;
        let child = spawn(&self.prepared, &image)?;
        let confined = Arc::new(self.confined());
        Ok(Running::new(child, confined, Some(self.prepared)))
    }

    /// Makes it start the program many times.
    ///
    /// # Errors
    /// What it has made is for one program alone: a throw-away root, an allotted uid, a jail.
    pub fn reusable(self) -> Result<Spawner, Error> {
        let confined = self.confined();
        Spawner::new(self.prepared, confined)
    }
}

/// A program that runs isolated.
///
/// What was made for it, a throw-away root or an allotted uid, is taken back when it
/// has been waited for, and what it has left running under an allotted uid is ended.
/// Dropping this kills the program.
#[derive(Debug)]
#[must_use = "dropping this kills the program"]
pub struct Running {
    child: Child,
    confined: Arc<Confined>,
    /// What was made for it.
    prepared: Option<Prepared>,
    over: bool,
}

impl Running {
    pub(crate) fn new(child: Child, confined: Arc<Confined>, prepared: Option<Prepared>) -> Self {
        Self { child, confined, prepared, over: false }
    }

    /// What is in force.
    pub fn confined(&self) -> &Confined {
        &self.confined
    }

    /// The child.
    #[must_use]
    pub fn child(&self) -> &Child {
        &self.child
    }

    /// The child, to write to and read from its pipes.
    pub fn child_mut(&mut self) -> &mut Child {
        &mut self.child
    }

    /// What the program is refused, if the policy has somebody told of it. To be taken at once, and listened to until
    /// it ends: each refused call waits until then.
    pub fn take_refusals(&mut self) -> Option<Refusals> {
        self.child.refusals.take()
    }

    /// Waits until the program has ended, and takes back what was made for it.
    ///
    /// # Errors
    /// As waitpid(2).
    pub fn wait(&mut self) -> io::Result<Status> {
        // Nobody listens: they are answered, with ENOSYS.
        self.child.refusals = None;
        let status = self.child.wait()?;
        self.is_over();
        Ok(status)
    }

    /// What has become of the program by now; `None` if nothing has.
    ///
    /// # Errors
    /// As waitpid(2).
    pub fn poll(&mut self) -> io::Result<Option<Status>> {
        let status = self.child.poll()?;
        if let Some(Status::Exited(_) | Status::Signalled(_)) = status {
            self.is_over();
        }
        Ok(status)
    }

    fn is_over(&mut self) {
        self.over = true;
        self.prepared = None;
    }

    /// Sends the program a signal.
    ///
    /// # Errors
    /// As kill(2).
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        self.child.signal(signal)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over && self.child.signal(9).is_ok() {
            let _ = self.child.wait();
        }
    }
}

fn tell_standard_error(problem: &Problem) {
    let mut to = io::stderr();
    let _ = writeln!(to, "isol: {problem}");
    if let Some(help) = &problem.help {
        let _ = writeln!(to, "help: {help}");
    }
}
