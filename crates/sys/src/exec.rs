//! Becoming another program.

use std::ffi::CStr;

use isol_core::Errno;

use crate::environment::CStrings;
use crate::errno;

/// Becomes another program; returns only if that failed. Async-signal-safe.
///
/// # References
/// execve(2)
#[must_use]
pub fn execute(path: &CStr, arguments: &CStrings, environment: &CStrings) -> Errno {
    // SAFETY: the path is NUL-terminated, both arrays are NULL-terminated arrays of
    // NUL-terminated strings, and all of them outlive the call.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    errno::last()
}

/// Ends the process at once, without running anything of the program's.
/// Async-signal-safe.
///
/// # References
/// _exit(2)
pub fn end(status: i32) -> ! {
    // SAFETY: never returns.
    unsafe { libc::_exit(status) }
}
