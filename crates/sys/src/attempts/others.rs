//! What can be done to another process, on any Unix.

use isol_core::Errno;

use crate::errno::check;

/// Whether a process can be seen at all.
///
/// # Errors
/// As getsid(2): `ESRCH` if there is none to be seen.
pub fn exists(pid: i32) -> Result<(), Errno> {
    // SAFETY: takes a number.
    check(unsafe { libc::getsid(pid) }).map(drop)
}

/// Sends a signal; 0 only asks whether one could be sent.
///
/// # Errors
/// As kill(2).
pub fn signal(pid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: takes two numbers.
    check(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// Changes the nice value of another process.
///
/// # Errors
/// As setpriority(2).
pub fn renice(pid: i32, value: i32) -> Result<(), Errno> {
    // SAFETY: takes three numbers.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, pid as _, value) }).map(drop)
}
