//! A plan that is prepared once and starts many programs.

use std::sync::Arc;

use isol_core::{Prepared, Problem};
use isol_steps::{Image, spawn};

use crate::{Confined, Error, Running};

/// A prepared plan that starts its program as often as one likes, from any thread.
///
/// Nothing is planned, looked up or laid ready again. What can change between two starts is looked at again:
/// whether the uid is still nobody's, and whether descriptors 0-2 are open and no directories.
/// The rest is as it was when the plan was prepared: names, environment, the root directory
/// (it is held open) and what was checked in it, which only root can have changed since.
///
/// While one of its programs runs, the uid is in use, and the next start is refused: programs that are to run
/// side by side under one uid take [`Allow::SharedUid`](crate::Allow::SharedUid), for each of them can signal and trace
/// the others. With it a start makes no look at the host and no allocation.
///
/// ```no_run
/// use isol::{Allow, Command, Isolation, Policy, User};
/// let policy =
///     Policy::confine("/srv/cgi").user(User::Name("cgi".into())).allow(Allow::SharedUid).build()?;
/// let spawner = Isolation::new(policy).plan_spawn(Command::new("/bin/answer"))?.prepare()?.reusable()?;
/// for _ in 0..1000 {
///     spawner.spawn()?.wait()?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// On Linux the program's parent is the thread that started it: with
/// [`die_with_parent`](crate::PolicyBuilder::die_with_parent) the program ends with that thread.
#[derive(Debug)]
#[must_use]
pub struct Spawner {
    prepared: Prepared,
    image: Image,
    confined: Arc<Confined>,
}

impl Spawner {
    pub(crate) fn new(prepared: Prepared, confined: Confined) -> Result<Self, Error> {
        if let Some(step) = prepared.serves_one_program() {
            let why = "what this step makes is for one program alone";
            return Err(Problem::new(step, "can't be prepared once for many programs", why)
                .help("name a root and a user, or plan each program by itself")
                .into());
        }
        let image = Image::new(&prepared)?;
        // Each start takes the hold on the uid again, and looks again.
        prepared.settle();
        Ok(Self { prepared, image, confined: Arc::new(confined) })
    }

    /// What is in force in each program.
    pub fn confined(&self) -> &Confined {
        &self.confined
    }

    /// Starts the program in a child.
    ///
    /// # Errors
    /// What kept it from starting; nothing runs then.
    ///
    /// # References
    /// clone(2), execve(2)
    pub fn spawn(&self) -> Result<Running, Error> {
        self.prepared.prepare_again()?;
        let child = spawn(&self.prepared, &self.image)?;
        Ok(Running::new(child, Arc::clone(&self.confined), None))
    }
}
