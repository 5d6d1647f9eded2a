//! What can be done to another process.

use std::os::fd::{OwnedFd, RawFd};

use isol_core::Errno;

use super::owned;
use crate::errno::{check, check_long};

/// Traces a process, and lets go of it.
///
/// # Errors
/// As ptrace(2).
pub fn trace(pid: i32) -> Result<(), Errno> {
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: PTRACE_SEIZE takes no address, and no options here.
    check_long(unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, none, none) })?;
    // Detaching needs it stopped; it is let go of when this process ends all the same.
    // SAFETY: takes no address.
    unsafe { libc::ptrace(libc::PTRACE_INTERRUPT, pid, none, none) };
    // SAFETY: no status is asked for.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::__WALL) };
    // SAFETY: takes no address, and delivers no signal.
    unsafe { libc::ptrace(libc::PTRACE_DETACH, pid, none, none) };
    Ok(())
}

/// Reads the memory of another process.
///
/// # Errors
/// As process_vm_readv(2).
pub fn read_memory(pid: i32, address: u64, length: usize) -> Result<Vec<u8>, Errno> {
    let mut text = vec![0_u8; length];
    let here = libc::iovec { iov_base: text.as_mut_ptr().cast(), iov_len: length };
    let there = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: length };
    // SAFETY: the local buffer is writable for its length; the remote address is the other process's.
    let count = unsafe { libc::process_vm_readv(pid, &here, 1, &there, 1, 0) };
    text.truncate(check_long(count as libc::c_long)? as usize);
    Ok(text)
}

/// A descriptor for a process.
///
/// # Errors
/// As pidfd_open(2).
pub fn pidfd(pid: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: takes two numbers.
    owned(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
}

/// A copy of another process's descriptor.
///
/// # Errors
/// As pidfd_getfd(2).
pub fn steal_descriptor(pidfd: RawFd, number: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: takes three numbers.
    owned(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, number, 0) })
}

/// Sets the affinity of a process to what it is.
///
/// # Errors
/// As sched_setaffinity(2).
pub fn set_affinity_of(pid: i32) -> Result<(), Errno> {
    let mut mask = [0_u64; 128];
    // SAFETY: the mask is writable for the size that is given.
    let size = check_long(unsafe {
        libc::syscall(libc::SYS_sched_getaffinity, pid, size_of_val(&mask), mask.as_mut_ptr())
    })?;
    // SAFETY: the mask is readable for the size that the kernel has given.
    let answer =
        unsafe { libc::syscall(libc::SYS_sched_setaffinity, pid, size as usize, mask.as_ptr()) };
    check_long(answer).map(drop)
}

/// Sets a limit of a process to what it is.
///
/// # Errors
/// As prlimit(2).
pub fn limit_of(pid: i32) -> Result<(), Errno> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: only asks; the structure is writable.
    check(unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, std::ptr::null(), &mut limit) })?;
    // SAFETY: the structure is readable; the old value is not asked for.
    check(unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, &limit, std::ptr::null_mut()) })
        .map(drop)
}

/// The processes that can be listed.
///
/// # Errors
/// As readdir(3).
pub fn list() -> Result<Vec<i32>, Errno> {
    let entries = std::fs::read_dir("/proc")
        .map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EIO)))?;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(pids.collect())
}
