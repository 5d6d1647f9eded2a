//! Descriptors, devices, roots.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use isol_core::Errno;

use crate::errno::check;

/// Paths are relative to the working directory.
pub const HERE: RawFd = libc::AT_FDCWD;

/// What a descriptor is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A file.
    File,
    /// A terminal.
    Terminal,
    /// Anything else.
    Other,
}

/// Opens a path that is relative to a directory, closed on exec, for reading or with more flags.
///
/// # Errors
/// As openat(2).
///
/// # References
/// openat(2)
pub fn open_at(directory: RawFd, path: &CStr, flags: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: the path is NUL-terminated and outlives the call.
    let fd = check(unsafe { libc::openat(directory, path.as_ptr(), flags | libc::O_CLOEXEC) })?;
    // SAFETY: just opened, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Another descriptor for what a number is open on.
///
/// # Errors
/// As fcntl(2).
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: F_DUPFD_CLOEXEC takes a number.
    let fd = check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: just made, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Puts a descriptor on the first free number that is not below `least`, and leaves it open for good.
///
/// # Errors
/// As fcntl(2).
pub fn put_at(fd: OwnedFd, least: RawFd, keep_across_exec: bool) -> Result<RawFd, Errno> {
    let command = if keep_across_exec { libc::F_DUPFD } else { libc::F_DUPFD_CLOEXEC };
    // SAFETY: both commands take a number.
    let placed = check(unsafe { libc::fcntl(fd.as_raw_fd(), command, least) })?;
    drop(fd);
    Ok(placed)
}

/// Closes a number, whoever thinks that it is his.
///
/// # Errors
/// As close(2).
pub fn close(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: takes a number. That nobody uses it afterwards is the caller's to see to.
    check(unsafe { libc::close(fd) }).map(drop)
}

/// What a descriptor is of.
///
/// # Errors
/// As fstat(2): `EBADF` if it is not open.
pub fn kind_of(fd: RawFd) -> Result<Kind, Errno> {
    // SAFETY: all-zero bytes are a valid `stat`, which is plain integers.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `stat` is writable for the call.
    check(unsafe { libc::fstat(fd, &mut stat) })?;
    // SAFETY: takes a number.
    let terminal = unsafe { libc::isatty(fd) } == 1;
    Ok(match stat.st_mode & libc::S_IFMT {
        libc::S_IFDIR => Kind::Directory,
        libc::S_IFREG => Kind::File,
        _ if terminal => Kind::Terminal,
        _ => Kind::Other,
    })
}

/// 0 for reading, 1 for writing, 2 for both.
///
/// # Errors
/// As fcntl(2).
pub fn access_mode(fd: RawFd) -> Result<i32, Errno> {
    // SAFETY: F_GETFL takes no argument.
    Ok(check(unsafe { libc::fcntl(fd, libc::F_GETFL) })? & libc::O_ACCMODE)
}

/// Changes the root directory.
///
/// # Errors
/// As chroot(2).
pub fn chroot(path: &CStr) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and outlives the call.
    check(unsafe { libc::chroot(path.as_ptr()) }).map(drop)
}

/// Makes a device node, for its owner only.
///
/// # Errors
/// As mknod(2).
pub fn mknod(path: &CStr, block: bool, major: u32, minor: u32) -> Result<(), Errno> {
    let kind = if block { libc::S_IFBLK } else { libc::S_IFCHR };
    let device = libc::makedev(major as _, minor as _);
    // SAFETY: the path is NUL-terminated and outlives the call.
    check(unsafe { libc::mknod(path.as_ptr(), kind | 0o600, device) }).map(drop)
}
