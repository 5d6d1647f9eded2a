//! What procctl(2) and jails know of.

use std::ffi::c_int;

use isol_core::Errno;

use crate::errno::check;
use crate::privileges;

/// Whether execve(2) grants nothing.
///
/// # Errors
/// As procctl(2).
pub fn no_new_privileges() -> Result<bool, Errno> {
    privileges::has_no_new_privileges()
}

/// Whether nobody else can trace this process.
///
/// # Errors
/// As procctl(2).
pub fn tracing_is_off() -> Result<bool, Errno> {
    privileges::tracing_is_stopped()
}

/// The parent-death signal; 0 for none.
///
/// # Errors
/// As procctl(2).
pub fn parent_death_signal() -> Result<i32, Errno> {
    privileges::parent_death_signal()
}

/// Sets the parent-death signal.
///
/// # Errors
/// As procctl(2).
pub fn set_parent_death_signal(signal: i32) -> Result<(), Errno> {
    const PDEATHSIG_CTL: c_int = 11;
    let mut signal: c_int = signal;
    let data = (&raw mut signal).cast();
    // SAFETY: no arguments, cannot fail.
    let own = unsafe { libc::getpid() };
    // SAFETY: the command reads an int, which is alive during the call.
    check(unsafe { libc::procctl(libc::P_PID, own as libc::id_t, PDEATHSIG_CTL, data) }).map(drop)
}

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

/// Whether uid 0 is the superuser where this process is.
///
/// # Errors
/// As sysctl(3).
///
/// # References
/// security(7): `security.bsd.suser_enabled`
pub fn superuser_is_on() -> Result<bool, Errno> {
    let (mut value, mut size): (c_int, usize) = (0, size_of::<c_int>());
    let name = c"security.bsd.suser_enabled".as_ptr();
    let to = (&raw mut value).cast();
    // SAFETY: the name is NUL-terminated; the value has the room that is said.
    check(unsafe { libc::sysctlbyname(name, to, &mut size, std::ptr::null(), 0) })?;
    Ok(value != 0)
}
