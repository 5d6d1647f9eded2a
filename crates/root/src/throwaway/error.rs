//! Why a throw-away root could not be made or removed.

use std::path::PathBuf;

use isol_core::Uid;
use isol_sys::quote::{shell, shown};
use isol_sys::state::StateError;
use nix::errno::Errno;
use thiserror::Error;

use crate::safety::Need;

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
    /// Not everybody can have it on the host, and so the root's user can't.
    #[error(
        "{} can't be {} by uid {user} on this host (owner {uid}, group {gid}, mode {mode:04o}), and so not in the root",
        shown(path), need.done()
    )]
    Withheld {
        /// The file, or a directory on the way to it.
        path: PathBuf,
        /// What the user would have to be able to do.
        need: Need,
        /// The user.
        user: Uid,
        /// The owner.
        uid: u32,
        /// The group.
        gid: u32,
        /// The permission bits.
        mode: u32,
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

impl ThrowawayError {
    /// The command that mends it, where there is one.
    #[must_use]
    pub fn mend(&self) -> Option<String> {
        match self {
            Self::State(e) => e.mend().map(str::to_owned),
            Self::Remove(e) => e.mend(),
            Self::Withheld { path, need, .. } => Some(need.mend(path)),
            _ => None,
        }
    }
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
