//! What was met on the way to the end of a path.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::WalkError;

/// What something met on the way is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink {
        /// What it says, as it stands there.
        target: PathBuf,
    },
    /// A regular file.
    File,
    /// A device, socket or pipe.
    Other,
}

/// Something met on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Met {
    /// Its place in the tree: absolute, no directory in it reached through a link.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// What stat(2) says of it.
    pub meta: Meta,
    /// Whether it has an access list, of which its mode knows nothing, that may let others change it.
    pub listed: bool,
    /// The user, not root, whose program answers for it: looked at only in what will be mounted.
    pub mounted_by: Option<u32>,
}

/// The way to the end of a path: the tree's root first, then every directory and link in the order in which they were
/// met, then the thing itself.
#[derive(Debug)]
pub struct Trail {
    pub(super) met: Vec<Met>,
    pub(super) end: End,
}

#[derive(Debug)]
pub(super) enum End {
    Directory(OwnedFd),
    /// A directory that is yet to be made.
    Made,
    Below {
        parent: OwnedFd,
        name: OsString,
    },
}

impl Trail {
    /// Everything met, in order.
    #[must_use]
    pub fn met(&self) -> &[Met] {
        &self.met
    }

    /// The thing at the end.
    #[must_use]
    pub fn last(&self) -> &Met {
        // Never empty: the tree's root is always met.
        &self.met[self.met.len() - 1]
    }

    /// Where the thing at the end really is, links resolved.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.last().path
    }

    /// The open directory, if a directory is at the end, and not one that is yet to be made.
    #[must_use]
    pub fn dir(&self) -> Option<BorrowedFd<'_>> {
        match &self.end {
            End::Directory(dir) => Some(dir.as_fd()),
            End::Below { .. } | End::Made => None,
        }
    }

    /// Opens the regular file at the end for reading: the very one that was met.
    ///
    /// # Errors
    /// [`WalkError::Changed`] if it isn't (any more) that regular file, [`WalkError::Io`] if it can't be opened.
    ///
    /// # References
    /// openat(2)
    pub fn open_file(&self) -> Result<File, WalkError> {
        let last = self.last();
        let failed = |source| WalkError::Io { path: last.path.clone(), source };
        let changed = || WalkError::Changed { path: last.path.clone() };
        let (End::Below { parent, name }, Kind::File) = (&self.end, &last.kind) else {
            return Err(changed());
        };
        let fd = openat(parent, name.as_os_str(), READ, Mode::empty()).map_err(failed)?;
        if Meta::of(&fd).map_err(failed)?.same_file(&last.meta) {
            Ok(File::from(fd))
        } else {
            Err(changed())
        }
    }
}

/// For a file that may have been exchanged for a pipe or a terminal: neither waits nor becomes the controlling one.
pub(crate) const READ: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_CLOEXEC);
