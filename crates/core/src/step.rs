//! One thing done to the process.

use std::fmt::Debug;

use crate::{Fault, Guarantee, Phase, PrepareError, Scene, Stage};

/// One thing that is done to the process on its way into isolation.
///
/// A step tells what it is (the first six methods), gets ready in the parent
/// ([`prepare`](Step::prepare), where it may allocate, and fail without harm), is
/// done in the process itself ([`apply`](Step::apply)) and looks whether it was
/// done ([`verify`](Step::verify)).
///
/// # Between fork and exec
///
/// `apply` and `verify` run in a process that may share its memory with a parent
/// that has other threads. They must be async-signal-safe: no allocation, no lock,
/// no panic, nothing but system calls on what `prepare` has laid ready.
pub trait Step: Debug + Send + Sync {
    /// The name in plans, errors and ordering rules.
    fn name(&self) -> &'static str;

    /// When it runs.
    fn phase(&self) -> Phase;

    /// What it does, in one line.
    fn explains(&self) -> String;

    /// The system calls that it makes, as their manual pages name them.
    fn calls(&self) -> &'static [&'static str];

    /// The guarantees that it establishes, alone or with others.
    fn establishes(&self) -> &'static [Guarantee];

    /// Gets ready, in the parent.
    ///
    /// # Errors
    /// What stands in the way; nothing has been changed then.
    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let _ = scene;
        Ok(())
    }

    /// Looks again at what may have changed since [`prepare`](Step::prepare), before one more child of the
    /// same prepared plan is started. By default nothing can have: what was opened stays open, what was
    /// looked up stays as it was.
    ///
    /// # Errors
    /// What stands in the way now.
    fn prepare_again(&self, scene: &Scene) -> Result<(), PrepareError> {
        let _ = scene;
        Ok(())
    }

    /// Whether what it prepares is for one program alone, such as a uid that is allotted.
    fn serves_one_program(&self) -> bool {
        false
    }

    /// Ends what the program has left running. Called once it has ended, before any `undo`.
    fn stop(&mut self) {}

    /// Takes back what `prepare` made.
    fn undo(&mut self) {}

    /// Does it, in the process itself.
    ///
    /// # Errors
    /// The [`Fault`] that the user is told. The program is not started then.
    fn apply(&self, stage: &Stage) -> Result<(), Fault> {
        let _ = stage;
        Ok(())
    }

    /// Whether the parent of a spawned child has a part in it: then the child waits, when all else is in
    /// force and was read back, until that is done.
    fn needs_parent(&self) -> bool {
        false
    }

    /// Whether it sends the parent of a spawned child a descriptor, with [`Record::Listener`](crate::Record), by which
    /// that is told of what the program is refused.
    fn sends_descriptor(&self) -> bool {
        false
    }

    /// Does the parent's part, in the parent. The child waits meanwhile.
    ///
    /// # Errors
    /// The [`Fault`] that the user is told. The program is not started then.
    fn seal_from_parent(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// The command that mends a fault of this step, where there is one. Called in the parent, or where nothing else is to
    /// be done any more: it may allocate.
    fn help(&self, fault: &Fault) -> Option<String> {
        let _ = fault;
        None
    }

    /// Reads the kernel's state and compares.
    ///
    /// # Errors
    /// What was found instead. The program is not started then.
    fn verify(&self, stage: &Stage) -> Result<(), Fault> {
        let _ = stage;
        Ok(())
    }
}
