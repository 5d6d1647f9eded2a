//! Mounts and jails.

use std::ffi::CStr;

use isol_core::Errno;

use crate::errno::check;

fn iovec(text: &CStr) -> libc::iovec {
    libc::iovec { iov_base: text.as_ptr().cast_mut().cast(), iov_len: text.count_bytes() + 1 }
}

/// Mounts an empty file system in memory.
///
/// # Errors
/// As nmount(2).
pub fn mount_tmpfs(at: &CStr) -> Result<(), Errno> {
    let mut pairs = [c"fstype", c"tmpfs", c"fspath", at].map(iovec);
    // SAFETY: name and value in turn, each NUL-terminated and alive during the call.
    check(unsafe { libc::nmount(pairs.as_mut_ptr(), pairs.len() as u32, 0) }).map(drop)
}

/// Whether this process could mount something: a file system that there is not is asked for.
///
/// # Errors
/// `EPERM`.
///
/// # References
/// nmount(2)
pub fn may_mount(at: &CStr) -> Result<(), Errno> {
    let mut pairs = [c"fstype", c"isol-none", c"fspath", at].map(iovec);
    // SAFETY: name and value in turn, each NUL-terminated and alive during the call.
    match check(unsafe { libc::nmount(pairs.as_mut_ptr(), pairs.len() as u32, 0) }) {
        Err(Errno(libc::EPERM)) => Err(Errno(libc::EPERM)),
        _ => Ok(()),
    }
}

/// Takes a mount away.
///
/// # Errors
/// As unmount(2).
pub fn unmount(at: &CStr) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and outlives the call.
    check(unsafe { libc::unmount(at.as_ptr(), libc::MNT_FORCE) }).map(drop)
}

/// The mount points that this process can list.
///
/// # Errors
/// As getfsstat(2).
pub fn mounts() -> Result<Vec<String>, Errno> {
    Ok(crate::nmount::list()?.iter().map(|mount| mount.on.display().to_string()).collect())
}

/// Makes a jail, and takes it away again.
///
/// # Errors
/// As jail_set(2).
pub fn new_jail(path: &CStr) -> Result<(), Errno> {
    let nothing = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
    let [a, b, c, d, e] = [c"path", path, c"name", c"isol-prove", c"persist"].map(iovec);
    let mut pairs = [a, b, c, d, e, nothing];
    let count = pairs.len() as u32;
    // SAFETY: name and value in turn, each NUL-terminated and alive during the call; the last has no value.
    let jail = check(unsafe { libc::jail_set(pairs.as_mut_ptr(), count, libc::JAIL_CREATE) })?;
    // SAFETY: takes a number.
    check(unsafe { libc::jail_remove(jail) }).map(drop)
}
