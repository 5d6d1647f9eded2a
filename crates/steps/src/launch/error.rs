//! Why nothing was started.

use std::io;
use std::path::PathBuf;

use isol_core::{Errno, Failure, Kind, Prepared, Problem};
use isol_sys::errno;
use isol_sys::process::Status;

/// Why nothing was started.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // made once, by a run that ends
#[non_exhaustive]
pub enum LaunchError {
    /// A step failed.
    Step {
        /// Its name.
        name: &'static str,
        /// What went wrong.
        failure: Failure,
        /// The command that mends it, where there is one.
        help: Option<String>,
    },
    /// execve failed.
    NotExecuted {
        /// The program.
        program: PathBuf,
        /// Why.
        errno: Errno,
    },
    /// The child was ended before it was ready.
    Killed(Status),
    /// There is no program, or its name or arguments have a NUL byte in them.
    Command(&'static str),
    /// A system call of the parent failed.
    System {
        /// What was being done.
        what: &'static str,
        /// Why it could not be done.
        source: io::Error,
    },
}

impl LaunchError {
    pub(super) fn system(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::System { what, source }
    }

    pub(super) fn step(prepared: &Prepared, failure: Failure) -> Self {
        let step = prepared.plan().steps().nth(usize::from(failure.step));
        let name = step.map_or("launch", |step| step.name());
        let help = step.and_then(|step| step.help(&failure.fault));
        Self::Step { name, failure, help }
    }

    /// As the user reads it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Step { name, failure, help } => {
                let (errno, text) = (failure.fault.errno, failure.fault.text.as_str());
                let mut problem = match errno {
                    Errno(0) => Problem::new(*name, "not in force when it was read back", text),
                    _ => Problem::call(*name, text, errno),
                };
                problem.help.clone_from(help);
                problem
            }
            Self::NotExecuted { program, errno } => {
                let kind =
                    if *errno == errno::NO_ENTRY { Kind::NotFound } else { Kind::NotExecutable };
                Problem::call("exec", format!("can't execute {}", program.display()), *errno)
                    .kind(kind)
            }
            Self::Killed(status) => {
                let how = match status {
                    Status::Signalled(signal) => format!("signal {signal} ended it"),
                    other => format!("it ended with status {}", other.code()),
                };
                Problem::new("spawn", "the child was gone before it was isolated", how)
            }
            Self::Command(what) => Problem::new("exec", *what, ""),
            Self::System { what, source } => Problem::io("spawn", *what, source),
        }
    }
}

impl std::fmt::Display for LaunchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem().fmt(f)
    }
}

impl std::error::Error for LaunchError {}

impl From<LaunchError> for Problem {
    fn from(error: LaunchError) -> Self {
        error.problem()
    }
}
