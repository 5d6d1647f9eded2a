//! Sessions and controlling terminals.

use isol_core::Errno;

use crate::errno::check;

/// Starts a session of its own, without a controlling terminal. Async-signal-safe.
///
/// # Errors
/// `EPERM` for a process-group leader.
///
/// # References
/// setsid(2)
pub fn start() -> Result<(), Errno> {
    // SAFETY: no arguments.
    check(unsafe { libc::setsid() }).map(drop)
}

/// Whether this process leads a process group, and so can't start a session.
#[must_use]
pub fn leads_a_group() -> bool {
    // SAFETY: no arguments, cannot fail.
    let group = unsafe { libc::getpgrp() };
    // SAFETY: no arguments, cannot fail.
    group == unsafe { libc::getpid() }
}

/// Whether this process has a controlling terminal. Async-signal-safe.
///
/// Without a `/dev/tty` to ask, the answer comes from the standard descriptors.
///
/// # References
/// tty(4), tcgetsid(3)
#[must_use]
pub fn has_terminal() -> bool {
    let flags = libc::O_RDONLY | libc::O_NOCTTY | libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: the path is a NUL-terminated literal.
    let fd = unsafe { libc::open(c"/dev/tty".as_ptr(), flags) };
    if fd >= 0 {
        // SAFETY: opened above, closed once.
        unsafe { libc::close(fd) };
        return true;
    }
    standard_descriptors_control()
}

/// Whether one of 0, 1 and 2 is this process's controlling terminal. Async-signal-safe.
///
/// # References
/// tcgetsid(3): it answers only for the controlling terminal
#[must_use]
pub fn standard_descriptors_control() -> bool {
    // SAFETY: takes a number.
    (0..3).any(|fd| unsafe { libc::tcgetsid(fd) } != -1)
}
