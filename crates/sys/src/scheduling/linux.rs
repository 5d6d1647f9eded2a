//! Linux, by raw system calls on the calling thread.

use isol_core::Errno;

use crate::errno::check_long;

pub(super) fn reset_policy() -> Result<(), Errno> {
    let priority: libc::c_int = 0;
    // SAFETY: `sched_param` is one int, readable for the call.
    check_long(unsafe {
        libc::syscall(libc::SYS_sched_setscheduler, 0, libc::SCHED_OTHER, &priority)
    })?;
    reset_io_priority()?;
    // More CPUs than any kernel is built for; it takes those that there are.
    let all = [u64::MAX; 128];
    // SAFETY: the mask is readable for the size that is given.
    check_long(unsafe {
        libc::syscall(libc::SYS_sched_setaffinity, 0, size_of_val(&all), all.as_ptr())
    })
    .map(drop)
}

fn reset_io_priority() -> Result<(), Errno> {
    const THIS_PROCESS: libc::c_int = 1;
    // SAFETY: takes three numbers; 0 is 'none: after the nice value'.
    match check_long(unsafe { libc::syscall(libc::SYS_ioprio_set, THIS_PROCESS, 0, 0) }) {
        // A kernel without block devices has no such call.
        Ok(_) | Err(Errno(libc::ENOSYS)) => Ok(()),
        Err(errno) => Err(errno),
    }
}

pub(super) fn policy_is_reset() -> Result<bool, Errno> {
    // SAFETY: takes a number. musl's function asks nobody.
    let policy = check_long(unsafe { libc::syscall(libc::SYS_sched_getscheduler, 0) })?;
    Ok(policy == libc::c_long::from(libc::SCHED_OTHER))
}
