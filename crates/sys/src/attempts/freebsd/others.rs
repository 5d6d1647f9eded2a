//! What can be done to another process.

use isol_core::Errno;

use crate::errno::check;

/// Traces a process, and lets go of it.
///
/// # Errors
/// As ptrace(2).
pub fn trace(pid: i32) -> Result<(), Errno> {
    let none = std::ptr::null_mut();
    // SAFETY: PT_ATTACH takes no address.
    check(unsafe { libc::ptrace(libc::PT_ATTACH, pid, none, 0) })?;
    // SAFETY: no status is asked for.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
    // SAFETY: the address 1 means: go on where it stopped.
    unsafe { libc::ptrace(libc::PT_DETACH, pid, std::ptr::without_provenance_mut(1), 0) };
    Ok(())
}

/// The processes that can be listed.
///
/// # Errors
/// As sysctl(3).
pub fn list() -> Result<Vec<i32>, Errno> {
    crate::processes::pids().map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EIO)))
}
