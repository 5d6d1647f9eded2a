//! Changing the root directory, and looking where one is.

#[cfg(any(target_os = "macos", test))]
mod ascent;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "chroot/linux.rs"]
        mod system;
    } else if #[cfg(target_os = "macos")] {
        #[path = "chroot/macos.rs"]
        mod system;
    } else {
        #[path = "chroot/posix.rs"]
        mod system;
    }
}

use std::ffi::CStr;
use std::os::fd::RawFd;

use isol_core::Errno;

use crate::errno::check;

/// Makes an open directory the working directory. Async-signal-safe.
///
/// # Errors
/// As fchdir(2).
///
/// # References
/// fchdir(2)
pub fn change_directory_to(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: takes a number and touches no memory.
    check(unsafe { libc::fchdir(fd) }).map(drop)
}

/// Changes the working directory. Async-signal-safe.
///
/// # Errors
/// As chdir(2).
///
/// # References
/// chdir(2)
pub fn change_directory(path: &CStr) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated and outlives the call.
    check(unsafe { libc::chdir(path.as_ptr()) }).map(drop)
}

/// Makes the working directory the root directory. Async-signal-safe.
///
/// # Errors
/// As chroot(2): `EPERM` without the privilege.
///
/// # References
/// chroot(2)
pub fn root_here() -> Result<(), Errno> {
    // SAFETY: the path is a NUL-terminated literal.
    check(unsafe { libc::chroot(c".".as_ptr()) }).map(drop)
}

/// The device and inode of a path, symlinks followed. Async-signal-safe.
///
/// # Errors
/// As stat(2).
///
/// # References
/// stat(2)
pub fn identity(path: &CStr) -> Result<(u64, u64), Errno> {
    // SAFETY: all-zero bytes are a valid `stat`, which is plain integers.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the path is NUL-terminated, and `stat` is writable for the call.
    check(unsafe { libc::stat(path.as_ptr(), &mut stat) })?;
    Ok((stat.st_dev as u64, stat.st_ino as u64))
}

/// Whether the working directory can be reached from the root directory: false for
/// one that was left outside. Async-signal-safe.
///
/// # Errors
/// As getcwd(3); as stat(2) on macOS.
///
/// # References
/// getcwd(3): Linux puts `(unreachable)` in front of such a path; FreeBSD fails with
/// `ENOENT`; macOS tells its path on the host, so that there the way up is walked.
pub fn working_directory_is_inside() -> Result<bool, Errno> {
    system::working_directory_is_inside()
}

/// Whether this process may change its root directory, ids and bounding set: on
/// Linux by its capabilities, elsewhere as uid 0.
#[must_use]
pub fn may_change_root() -> bool {
    system::may_change_root()
}
