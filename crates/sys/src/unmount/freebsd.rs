//! FreeBSD: mounts are everybody's, and stay when who made them has gone.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use isol_core::Errno;

use crate::errno::check;

pub(super) fn below(top: &Path) -> Result<(), Errno> {
    // As the kernel tells them: without links. One that is not there has nothing below it.
    let Ok(top) = top.canonicalize() else { return Ok(()) };
    // The last one first: it may be on another.
    for point in points()?.iter().rev().filter(|point| **point != top && point.starts_with(&top)) {
        let path = CString::new(point.as_os_str().as_bytes()).map_err(|_| Errno(libc::EINVAL))?;
        // SAFETY: the path is NUL-terminated and outlives the call.
        check(unsafe { libc::unmount(path.as_ptr(), libc::MNT_FORCE) })?;
    }
    Ok(())
}

/// Where something is mounted, in the order in which it was.
///
/// # Errors
/// As getfsstat(2).
pub(crate) fn points() -> Result<Vec<PathBuf>, Errno> {
    let mut room = 64;
    loop {
        // SAFETY: all-zero bytes are a valid `statfs`, which is plain data.
        let mut found: Vec<libc::statfs> = vec![unsafe { std::mem::zeroed() }; room];
        let size = size_of_val(found.as_slice()) as libc::c_long;
        // SAFETY: the list is writable for the size that is given.
        let count = check(unsafe { libc::getfsstat(found.as_mut_ptr(), size, libc::MNT_NOWAIT) })?;
        // A list that is full may be cut.
        if (count as usize) < room {
            return Ok(found.iter().take(count as usize).map(point).collect());
        }
        room *= 2;
    }
}

fn point(mount: &libc::statfs) -> PathBuf {
    let bytes = mount.f_mntonname.map(|c| c as u8);
    let name = CStr::from_bytes_until_nul(&bytes).map_or(&bytes[..], CStr::to_bytes);
    PathBuf::from(OsStr::from_bytes(name))
}
