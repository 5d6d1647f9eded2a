//! A plan that is ready to run.

use std::io;

use crate::{Command, Failure, Phase, Plan, Problem, Scene, Stage};

/// Why a plan could not be made ready. Whatever had been prepared was taken back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// Something is not as it has to be.
    #[error(transparent)]
    Refused(Box<Problem>),
    /// A system call failed.
    #[error("{step}: {what}")]
    System {
        /// The step.
        step: &'static str,
        /// What was being done.
        what: String,
        /// Why it could not be done.
        source: io::Error,
    },
}

impl PrepareError {
    /// A system call that failed.
    pub fn system(
        step: &'static str,
        what: impl Into<String>,
        source: impl Into<io::Error>,
    ) -> Self {
        Self::System { step, what: what.into(), source: source.into() }
    }

    /// As the user reads it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Refused(problem) => (**problem).clone(),
            Self::System { step, what, source } => Problem::io(*step, what.clone(), source),
        }
    }
}

impl From<Problem> for PrepareError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<PrepareError> for Problem {
    fn from(error: PrepareError) -> Self {
        error.problem()
    }
}

/// A plan for which everything that allocates or can be refused has been done.
///
/// Dropping it takes back what was made for it: first every step ends what the
/// program left running, then they are undone, last to first.
#[derive(Debug)]
#[must_use]
pub struct Prepared {
    plan: Plan,
    scene: Scene,
    ready: usize,
}

impl Plan {
    /// Makes the plan ready: all allocation, every look at the host, every check
    /// that can refuse.
    ///
    /// # Errors
    /// What stands in the way. Nothing stays behind then.
    pub fn prepare(self, command: Option<Command>) -> Result<Prepared, PrepareError> {
        let scene = Scene::new(self.mode(), command);
        let mut prepared = Prepared { plan: self, scene, ready: 0 };
        for step in prepared.plan.steps_mut() {
            // Counted first: a step that fails half-way cleans up in its `undo`.
            prepared.ready += 1;
            step.prepare(&mut prepared.scene)?;
        }
        Ok(prepared)
    }
}

impl Prepared {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the steps have found and made.
    #[must_use]
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Applies every step behind [`Phase::Prepare`] to this process, and reads each
    /// one back where the plan says so.
    ///
    /// There is no way back: whoever calls this ends the process if it fails.
    /// Async-signal-safe, as the steps are.
    ///
    /// # Errors
    /// The step that failed. The process is half isolated then and must end.
    pub fn apply(&self, stage: &Stage) -> Result<(), Failure> {
        for (index, step) in self.plan.steps().enumerate() {
            if step.phase() == Phase::Prepare {
                continue;
            }
            if step.phase() == Phase::Verify {
                self.read_back(index, stage)?;
            }
            step.apply(stage).map_err(|fault| Failure { step: index as u16, fault })?;
            if step.phase() == Phase::Seal {
                step.verify(stage).map_err(|fault| Failure { step: index as u16, fault })?;
            }
        }
        Ok(())
    }

    fn read_back(&self, until: usize, stage: &Stage) -> Result<(), Failure> {
        for (index, step) in self.plan.steps().enumerate().take(until) {
            step.verify(stage).map_err(|fault| Failure { step: index as u16, fault })?;
        }
        Ok(())
    }

    /// The first step that makes something for one program alone, if there is one.
    #[must_use]
    pub fn serves_one_program(&self) -> Option<&'static str> {
        self.plan.steps().find(|step| step.serves_one_program()).map(|step| step.name())
    }

    /// Has each step look again at what may have changed.
    ///
    /// # Errors
    /// What stands in the way now.
    pub fn prepare_again(&self) -> Result<(), PrepareError> {
        let again = self.plan.steps().try_for_each(|step| step.prepare_again(&self.scene));
        if again.is_err() {
            self.settle();
        }
        again
    }

    /// Lets go of what is held for as long as something is being started.
    pub fn settle(&self) {
        if let Some(hold) = &self.scene.uid_hold {
            hold.settled();
        }
    }

    /// Keeps everything as it is for as long as the process lives, and forgets how
    /// to take it back. For a process that has locked itself in.
    pub fn leak(self) {
        std::mem::forget(self);
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        let ready = &mut self.plan.steps_mut()[..self.ready];
        for step in ready.iter_mut().rev() {
            step.stop();
        }
        for step in ready.iter_mut().rev() {
            step.undo();
        }
    }
}
