//! Opening what is in a directory, and nothing that a link or a mount leads to.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "below/linux.rs"]
        mod os;
    } else {
        #[path = "below/posix.rs"]
        mod os;
    }
}

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use crate::brief::Brief;

const DIRECTORY: OFlag =
    OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// What came of opening a directory.
#[derive(Debug)]
pub enum Opened {
    /// It is open.
    Directory(OwnedFd, Brief),
    /// Something is mounted there; it was not opened.
    Mount,
}

/// Opens the directory `name` in the directory `dir`, which is on the device `dev`, for listing; unless `across` says
/// so, not what is mounted there, be it of the same file system.
///
/// # Errors
/// What openat(2) gives: ELOOP, ENOTDIR or, on FreeBSD, EMLINK for a symbolic link.
///
/// # References
/// openat2(2), open(2)
pub fn directory(dir: impl AsFd, name: &CStr, dev: u64, across: bool) -> nix::Result<Opened> {
    let dir = dir.as_fd();
    if across {
        return open(dir, name);
    }
    os::directory(dir, name, dev)
}

/// What nix's calls fail with, for who does not depend on it.
pub type Failed = Errno;

/// Opens a directory by its path on the host.
///
/// # Errors
/// What open(2) gives: ENOTDIR if it is none.
pub fn host_s(path: &Path) -> nix::Result<OwnedFd> {
    nix::fcntl::open(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
}

/// Goes down from a directory by a path that begins there, through directories only, one at a time; mounts are crossed.
///
/// # Errors
/// What openat(2) gives: ELOOP, ENOTDIR or, on FreeBSD, EMLINK for a symbolic link; EINVAL for a `..`.
///
/// # References
/// open(2)
pub fn descend(dir: impl AsFd, path: &Path) -> nix::Result<OwnedFd> {
    let mut fd = openat(dir, ".", DIRECTORY, Mode::empty())?;
    for part in path.components() {
        match part {
            Component::Normal(name) => fd = openat(&fd, name, DIRECTORY, Mode::empty())?,
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return Err(Errno::EINVAL),
        }
    }
    Ok(fd)
}

fn open(dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<Opened> {
    let fd = openat(dir, name, DIRECTORY, Mode::empty())?;
    let brief = Brief::of(&fd)?;
    Ok(Opened::Directory(fd, brief))
}

/// Opens `name` in the directory `dir`, not what a link leads to, so that it can be looked at and amended; a device's
/// driver does not hear of it where the system can do that.
///
/// # Errors
/// What openat(2) gives.
pub fn handle(dir: impl AsFd, name: &CStr) -> nix::Result<OwnedFd> {
    openat(dir, name, os::HANDLE | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
}

/// As it would be looked up inside the directory `root` after chroot(2): whether anything is at the end of `path`, which
/// begins at the root. `None` where the system has no call for that.
///
/// # Errors
/// What openat2(2) gives, but that nothing is there.
///
/// # References
/// openat2(2), `RESOLVE_IN_ROOT`
pub fn exists_inside(root: impl AsFd, path: &CStr) -> nix::Result<Option<bool>> {
    os::exists_inside(root.as_fd(), path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_and_no_way_up_is_followed() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join("a/b")).unwrap();
        symlink("a", top.path().join("link")).unwrap();
        let dir = std::fs::File::open(top.path()).unwrap();
        let to = |path: &str| descend(&dir, Path::new(path)).map(drop);
        assert_eq!((to("/a/b"), to("/"), to("/c")), (Ok(()), Ok(()), Err(Errno::ENOENT)));
        assert_eq!(to("/a/../a"), Err(Errno::EINVAL));
        assert!(to("/link").is_err() && to("/link/b").is_err());
    }
}
