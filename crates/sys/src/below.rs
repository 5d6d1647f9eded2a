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

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use crate::brief::Brief;
use crate::meta::Meta;

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

/// As [`handle`], by a name that need not be a C string.
///
/// # Errors
/// What openat(2) gives.
pub fn handle_by_name(dir: impl AsFd, name: &OsStr) -> nix::Result<OwnedFd> {
    openat(dir, name, os::HANDLE | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
}

/// What is at `path` below the directory `dir`, by names alone: no link on the way is followed, and one at the end is what
/// it is.
///
/// # Errors
/// Up to which component of the path it goes, and why not further: `ELOOP` for a link.
///
/// # References
/// openat(2), fstatat(2)
///
/// ```
/// let usr = std::fs::File::open("/usr")?;
/// assert!(isol_sys::below::find(&usr, "bin/env".as_ref()).is_ok_and(|meta| meta.is_file()));
/// let missing = isol_sys::below::find(&usr, "none/x".as_ref()).unwrap_err();
/// assert_eq!(missing.component, std::path::Path::new("none"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn find(dir: impl AsFd, path: &Path) -> Result<Meta, NotBelow> {
    let mut done = PathBuf::new();
    let failed = |done: &Path, errno| NotBelow { component: done.to_owned(), errno };
    let mut here = dir.as_fd().try_clone_to_owned().map_err(|error| {
        failed(&done, Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO)))
    })?;
    let mut names = path.iter().peekable();
    while let Some(name) = names.next() {
        done.push(name);
        let meta = Meta::at(&here, name).map_err(|errno| failed(&done, errno))?;
        if names.peek().is_none() {
            return Ok(meta);
        }
        if !meta.is_dir() {
            let errno = if meta.is_symlink() { Errno::ELOOP } else { Errno::ENOTDIR };
            return Err(failed(&done, errno));
        }
        here = handle_by_name(&here, name).map_err(|errno| failed(&done, errno))?;
    }
    Meta::of(&here).map_err(|errno| failed(&done, errno))
}

/// How far a path goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotBelow {
    /// The path up to the component that stops it.
    pub component: PathBuf,
    /// Why it does.
    pub errno: Errno,
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
    #[cfg_attr(miri, ignore = "makes system calls")]
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
