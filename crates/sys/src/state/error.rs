//! What can go wrong with the state directory.

use std::fmt;
use std::path::{Path, PathBuf};

use isol_core::Problem;
use nix::errno::Errno;
use nix::unistd::geteuid;

use super::shared;
use crate::errno::from_nix;
use crate::quote::shown;
use crate::rootdir::RootDirError;

/// Why there is no state directory, or why something in it could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// Somebody else could change it, or it could not be opened.
    Untrusted(RootDirError),
    /// It is missing and could not be made.
    Make {
        /// Where it should have been.
        path: PathBuf,
        /// Why not.
        source: Errno,
    },
    /// It is on a file system that is mounted read-only.
    ReadOnly {
        /// Where it is.
        path: PathBuf,
    },
    /// It is on a file system that is mounted noexec.
    NoExec {
        /// Where it is.
        path: PathBuf,
    },
    /// None of the candidates will do.
    NoPlace {
        /// What was wrong with each.
        tried: Vec<StateError>,
    },
    /// The name of a lock may have letters, digits, `-`, `_` and `.` in it, and begins with a letter or digit.
    BadName {
        /// The name.
        name: String,
    },
    /// A system call failed.
    Io {
        /// Which.
        call: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: Errno,
    },
}

impl StateError {
    /// The command that mends it, where there is one.
    #[must_use]
    pub fn mend(&self) -> Option<&str> {
        match self {
            Self::Untrusted(e) if is_squatted(e) => Some(ANOTHER_PLACE),
            Self::Untrusted(e) => e.mend(),
            Self::NoPlace { tried } => tried.iter().find_map(Self::mend),
            _ => None,
        }
    }

    /// The errno behind it, where there is one.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Untrusted(e) => e.errno(),
            Self::Make { source, .. } | Self::Io { source, .. } => Some(*source),
            Self::NoPlace { tried } => tried.iter().find_map(Self::errno),
            _ => None,
        }
    }

    /// The same, as the user is told of it: what a step could not do, and this as the reason.
    #[must_use]
    pub fn problem(&self, step: &'static str, what: &str) -> Problem {
        let mut problem = Problem::new(step, what, self.to_string());
        problem.errno = self.errno().map(from_nix);
        problem.help = self.mend().map(str::to_owned);
        problem
    }

    /// Whether this says that the host has no room for a state directory at `path`, so that the next candidate may
    /// be tried. A directory that is there, but can't be trusted, is not absent.
    pub(super) fn is_absence(&self, path: &Path) -> bool {
        match self {
            Self::Untrusted(RootDirError::Unsafe { component, .. }) => component != path,
            Self::Untrusted(RootDirError::Open { source, .. }) | Self::Make { source, .. } => {
                matches!(source, Errno::ENOENT | Errno::EROFS | Errno::EACCES | Errno::EPERM)
            }
            _ => false,
        }
    }
}

/// Where somebody else has an ordinary user's place in the shared directory, only another place helps.
const ANOTHER_PLACE: &str = "export XDG_RUNTIME_DIR=\"$(mktemp -d)\"";

fn is_squatted(error: &RootDirError) -> bool {
    let (RootDirError::Unsafe { component, .. } | RootDirError::Open { component, .. }) = error
    else {
        return false;
    };
    let user = geteuid();
    !user.is_root() && *component == shared(user)
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untrusted(e) => write!(f, "state directory: {e}"),
            Self::Make { path, source } => {
                write!(
                    f,
                    "the state directory {} could not be made: {}",
                    shown(path),
                    source.desc()
                )
            }
            Self::ReadOnly { path } => write!(f, "{} is mounted read-only", shown(path)),
            Self::NoExec { path } => {
                write!(f, "{} is mounted noexec: no program in it could be run", shown(path))
            }
            Self::NoPlace { tried } => {
                f.write_str("there is no place for the state directory")?;
                for (i, e) in tried.iter().enumerate() {
                    write!(f, "{} {e}", if i == 0 { ":" } else { ";" })?;
                }
                Ok(())
            }
            Self::BadName { name } => write!(f, "{name:?} can't be the name of a lock"),
            Self::Io { call, path, source } => {
                write!(f, "{call} {}: {}", shown(path), source.desc())
            }
        }
    }
}

impl std::error::Error for StateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Untrusted(e) => Some(e),
            Self::Make { source, .. } | Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
