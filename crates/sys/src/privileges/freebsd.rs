//! What FreeBSD has beside the ids, by procctl(2). Every function here is async-signal-safe.

#[path = "no_capabilities.rs"]
mod no_capabilities;

use isol_core::Errno;
use libc::c_int;

use crate::errno::check;

pub use no_capabilities::*;

// From the kernel's sys/procctl.h.
const TRACE_CTL: c_int = 7;
const TRACE_STATUS: c_int = 8;
const TRACE_DISABLE_EXEC: c_int = 3;
const PDEATHSIG_CTL: c_int = 11;
const PDEATHSIG_STATUS: c_int = 12;
const NO_NEW_PRIVS_CTL: c_int = 19;
const NO_NEW_PRIVS_STATUS: c_int = 20;
const NO_NEW_PRIVS_ENABLE: c_int = 1;

/// One command on this process, with an int that is read or written.
fn control(command: c_int, mut value: c_int) -> Result<c_int, Errno> {
    let data = (&raw mut value).cast();
    // SAFETY: no arguments, cannot fail.
    let own = unsafe { libc::getpid() };
    // SAFETY: every command used in this file takes the address of an int, which is alive during the call.
    check(unsafe { libc::procctl(libc::P_PID, own as libc::id_t, command, data) })?;
    Ok(value)
}

/// Has execve(2) grant nothing, for this process and all that come of it.
///
/// # Errors
/// `EINVAL` on a kernel that has nothing of the kind.
///
/// # References
/// procctl(2): `PROC_NO_NEW_PRIVS_CTL`
pub fn set_no_new_privileges() -> Result<(), Errno> {
    control(NO_NEW_PRIVS_CTL, NO_NEW_PRIVS_ENABLE).map(drop)
}

/// Whether that is so.
///
/// # Errors
/// As [`set_no_new_privileges`].
pub fn has_no_new_privileges() -> Result<bool, Errno> {
    Ok(control(NO_NEW_PRIVS_STATUS, 0)? == NO_NEW_PRIVS_ENABLE)
}

/// Keeps others from tracing this process, and its memory out of core dumps, over execve(2) too.
///
/// # Errors
/// As procctl(2).
///
/// # References
/// procctl(2): `PROC_TRACE_CTL`
pub fn stop_tracing() -> Result<(), Errno> {
    control(TRACE_CTL, TRACE_DISABLE_EXEC).map(drop)
}

/// Whether that is so.
///
/// # Errors
/// As procctl(2).
pub fn tracing_is_stopped() -> Result<bool, Errno> {
    Ok(control(TRACE_STATUS, 0)? == -1)
}

/// Sets the signal that is sent when the parent ends; 0 for none.
///
/// # Errors
/// As procctl(2).
///
/// # References
/// procctl(2): `PROC_PDEATHSIG_CTL`
pub fn set_parent_death_signal(signal: c_int) -> Result<(), Errno> {
    control(PDEATHSIG_CTL, signal).map(drop)
}

/// The parent-death signal; 0 for none.
///
/// # Errors
/// As procctl(2).
pub fn parent_death_signal() -> Result<c_int, Errno> {
    control(PDEATHSIG_STATUS, 0)
}
