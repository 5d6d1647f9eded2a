//! Why a path could not be resolved.

use std::path::PathBuf;

use isol_sys::quote::shown;
use nix::errno::Errno;
use thiserror::Error;

/// Why [`Sysroot::walk`](super::Sysroot::walk) came to no end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WalkError {
    /// A component is not there.
    #[error("{} does not exist", shown(component))]
    Missing {
        /// The path that was to be resolved.
        path: PathBuf,
        /// What is missing: the place in the tree, without links.
        component: PathBuf,
    },
    /// Something else than a directory stands in the way.
    #[error("{} is not a directory", shown(component))]
    NotDirectory {
        /// The path that was to be resolved.
        path: PathBuf,
        /// What is no directory.
        component: PathBuf,
    },
    /// Too many symbolic links.
    #[error("{} has too many symbolic links", shown(path))]
    Loop {
        /// The path that was to be resolved.
        path: PathBuf,
    },
    /// It is not, or no longer, what it was a moment ago.
    #[error("{} changed while it was looked at", shown(path))]
    Changed {
        /// What changed.
        path: PathBuf,
    },
    /// A system call failed.
    #[error("{}: {}", shown(path), source.desc())]
    Io {
        /// On what.
        path: PathBuf,
        /// Why.
        source: Errno,
    },
}

impl WalkError {
    /// Whether it says that nothing is there, as the kernel's ENOENT and ENOTDIR do.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::NotDirectory { .. })
    }

    /// Whether it says nothing of the path: the caller has no descriptor, or no memory, left.
    #[must_use]
    pub fn is_the_caller_s_lack(&self) -> bool {
        let of_caller = [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM];
        matches!(self, Self::Io { source, .. } if of_caller.contains(source))
    }
}
