//! Why a throw-away root could not be made or removed.

use std::path::PathBuf;

use isol_sys::quote::{shell, shown};
use isol_sys::state::StateError;
use nix::errno::Errno;
use thiserror::Error;

/// Why a throw-away root could not be made, or not be removed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ThrowawayError {
    /// The state directory does not serve.
    #[error(transparent)]
    State(#[from] StateError),
    /// A user of this name can't stand in `/etc/passwd`.
    #[error("{name:?} can't be the name of a user")]
    BadName {
        /// The name.
        name: String,
    },
    /// A file has been exchanged or changed since the closure was made.
    #[error("{} changed while it was copied", shown(path))]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Something could not be made.
    #[error("{call} {}: {}", shown(path), source.desc())]
    Make {
        /// The system call.
        call: &'static str,
        /// What.
        path: PathBuf,
        /// Why not.
        source: Errno,
    },
    /// Something could not be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
}

/// Why a tree could not be removed. What is not named is gone, or untouched.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// Something is mounted in the tree. Nothing below the mount point has been touched.
    #[error("something is mounted on {}: it was left alone", shown(path))]
    Mounted {
        /// The mount point.
        path: PathBuf,
    },
    /// Somebody keeps making new files.
    #[error("{} does not become empty: something is still running in it", shown(path))]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// A system call failed.
    #[error("{call} {}: {}", shown(path), source.desc())]
    Io {
        /// Which.
        call: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: Errno,
    },
}

impl RemoveError {
    /// The command that may mend it.
    #[must_use]
    pub fn mend(&self) -> Option<String> {
        match self {
            Self::Mounted { path } => Some(format!("umount {}", shell(path))),
            _ => None,
        }
    }
}
