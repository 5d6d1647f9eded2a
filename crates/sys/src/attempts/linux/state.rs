//! Scheduling and the execution domain.

use isol_core::Errno;
use libc::c_ulong;

use crate::errno::{check, check_long};

/// The scheduling policy.
///
/// # Errors
/// As sched_getscheduler(2).
pub fn scheduling_policy() -> Result<i32, Errno> {
    // SAFETY: takes a number.
    check(unsafe { libc::sched_getscheduler(0) })
}

/// Sets the policy for work that waits.
///
/// # Errors
/// As sched_setscheduler(2).
pub fn set_batch() -> Result<(), Errno> {
    let priority: libc::c_int = 0;
    // SAFETY: `sched_param` is one int, readable for the call.
    check_long(unsafe {
        libc::syscall(libc::SYS_sched_setscheduler, 0, libc::SCHED_BATCH, &priority)
    })
    .map(drop)
}

/// The processors that this process may run on.
///
/// # Errors
/// As sched_getaffinity(2).
pub fn affinity() -> Result<Vec<u32>, Errno> {
    let mut mask = [0_u64; 128];
    // SAFETY: the mask is writable for the size that is given.
    check_long(unsafe {
        libc::syscall(libc::SYS_sched_getaffinity, 0, size_of_val(&mask), mask.as_mut_ptr())
    })?;
    let is_set = |cpu: &u32| mask[*cpu as usize / 64] >> (cpu % 64) & 1 == 1;
    Ok((0..64 * 128).filter(is_set).collect())
}

/// Confines this process to one processor.
///
/// # Errors
/// As sched_setaffinity(2).
pub fn pin_to(cpu: u32) -> Result<(), Errno> {
    let mut mask = [0_u64; 128];
    mask[cpu as usize / 64] |= 1 << (cpu % 64);
    // SAFETY: the mask is readable for the size that is given.
    check_long(unsafe {
        libc::syscall(libc::SYS_sched_setaffinity, 0, size_of_val(&mask), mask.as_ptr())
    })
    .map(drop)
}

const THIS_PROCESS: libc::c_int = 1;

/// The I/O priority; 0 is none.
///
/// # Errors
/// As ioprio_get(2).
pub fn io_priority() -> Result<i32, Errno> {
    // SAFETY: takes two numbers.
    check_long(unsafe { libc::syscall(libc::SYS_ioprio_get, THIS_PROCESS, 0) }).map(|p| p as i32)
}

/// Sets the I/O priority.
///
/// # Errors
/// As ioprio_set(2).
pub fn set_io_priority(priority: i32) -> Result<(), Errno> {
    // SAFETY: takes three numbers.
    check_long(unsafe { libc::syscall(libc::SYS_ioprio_set, THIS_PROCESS, 0, priority) }).map(drop)
}

/// The execution domain.
///
/// # Errors
/// As personality(2).
pub fn execution_domain() -> Result<u64, Errno> {
    const QUERY: c_ulong = 0xffff_ffff;
    // SAFETY: takes a number; this one only asks.
    check(unsafe { libc::personality(QUERY) }).map(|domain| domain as u64)
}

/// Sets the execution domain.
///
/// # Errors
/// As personality(2).
pub fn set_execution_domain(domain: u64) -> Result<(), Errno> {
    // SAFETY: takes a number.
    check(unsafe { libc::personality(domain as c_ulong) }).map(drop)
}
