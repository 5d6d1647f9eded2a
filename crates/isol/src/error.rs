//! Why nothing was isolated.

use isol_core::{PlanError, PrepareError, Problem};
use isol_steps::LaunchError;

/// What stands in the way. As long as a function returns this, the process is what it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // made once, by a run that ends
pub enum Error {
    /// There is no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan could not be made ready.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The child could not be isolated or executed; it has ended.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// This host or this process is not one to do it on.
    #[error(transparent)]
    Refused(Box<Problem>),
}

impl Error {
    /// As the user reads it: what failed, why, and what mends it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Plan(error) => error.problem(),
            Self::Prepare(error) => error.problem(),
            Self::Launch(error) => error.problem(),
            Self::Refused(problem) => (**problem).clone(),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<isol_core::PolicyError> for Error {
    fn from(error: isol_core::PolicyError) -> Self {
        Self::Plan(error.into())
    }
}
