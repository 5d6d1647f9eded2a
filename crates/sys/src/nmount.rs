//! FreeBSD's mounts, which are everybody's and stay until somebody takes them away.
//!
//! nmount(2) takes paths only. So what is mounted, and what it is mounted on, is the working directory of a child that does
//! nothing else, and its path `.`: what a descriptor is open on, whatever has become of its name. Elsewhere every call answers
//! `ENOSYS`.

use std::ffi::CStr;
use std::os::fd::AsFd;
use std::path::PathBuf;

use isol_core::Errno;

use crate::jail::Request;

cfg_if::cfg_if! {
    if #[cfg(target_os = "freebsd")] {
        #[path = "nmount/freebsd.rs"]
        mod system;
    } else {
        #[path = "nmount/none.rs"]
        mod system;
    }
}

/// What a mount forbids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forbids {
    /// Writing.
    pub write: bool,
    /// Executing.
    pub exec: bool,
    /// That set-id bits count.
    pub set_id: bool,
}

impl Forbids {
    /// Whether it forbids all that the other one does.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        (self.write || !other.write) && (self.exec || !other.exec) && (self.set_id || !other.set_id)
    }
}

/// A mount, as the kernel tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// By what it is unmounted; zeroes where this process may not know.
    pub id: [i32; 2],
    /// `nullfs`, `tmpfs`, `devfs`, ...
    pub kind: String,
    /// What is mounted, in the words of who has mounted it.
    pub from: PathBuf,
    /// Where: the path that the kernel has found.
    pub on: PathBuf,
    /// What it forbids.
    pub forbids: Forbids,
}

/// Mounts what the request says; a relative path in it begins at what `at` is open on. The child in which it is done shares
/// this process's locks of files, so that they are held until it has ended.
///
/// # Errors
/// As nmount(2) and fork(2).
///
/// # References
/// nmount(2), fchdir(2)
pub fn mount(at: impl AsFd, request: &Request) -> Result<(), Errno> {
    system::mount(at.as_fd(), request)
}

/// All mounts that this process can see, in the order in which they were made.
///
/// # Errors
/// As getfsstat(2).
///
/// # References
/// getfsstat(2)
pub fn list() -> Result<Vec<Mounted>, Errno> {
    system::list()
}

/// The mount that something open is on.
///
/// # Errors
/// As fstatfs(2).
///
/// # References
/// fstatfs(2)
pub fn of(file: impl AsFd) -> Result<Mounted, Errno> {
    system::of(file.as_fd())
}

/// What the mount forbids that a path leads to. Async-signal-safe.
///
/// # Errors
/// As statfs(2).
///
/// # References
/// statfs(2)
pub fn forbids_at(path: &CStr) -> Result<Forbids, Errno> {
    system::forbids_at(path)
}

/// Takes a mount away, busy or not.
///
/// # Errors
/// As unmount(2).
///
/// # References
/// unmount(2): `MNT_BYFSID`, `MNT_FORCE`
pub fn unmount(mount: &Mounted) -> Result<(), Errno> {
    system::unmount(mount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_that_forbids_less_does_not_do() {
        let asked = Forbids { write: true, exec: false, set_id: true };
        assert!(asked.covers(asked) && Forbids { exec: true, ..asked }.covers(asked));
        assert!(!Forbids { write: false, ..asked }.covers(asked));
        assert!(!Forbids { set_id: false, ..asked }.covers(asked));
        assert!(!asked.covers(Forbids { exec: true, ..asked }));
    }
}
