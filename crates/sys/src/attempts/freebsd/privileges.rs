//! What procctl(2) knows of.

use std::ffi::c_int;

use isol_core::Errno;

use crate::errno::check;

/// Becomes the parent of what this process's children leave behind.
///
/// # Errors
/// As procctl(2).
///
/// # References
/// procctl(2): `PROC_REAP_ACQUIRE`
pub fn adopt_orphans() -> Result<(), Errno> {
    const REAP_ACQUIRE: c_int = 2;
    // SAFETY: no arguments, cannot fail.
    let own = unsafe { libc::getpid() };
    let nothing = std::ptr::null_mut();
    // SAFETY: the command takes no data.
    check(unsafe { libc::procctl(libc::P_PID, own as libc::id_t, REAP_ACQUIRE, nothing) }).map(drop)
}
