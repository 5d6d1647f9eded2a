//! Nice value, scheduling policy, CPU affinity and I/O priority.

use isol_core::Errno;

use crate::errno::check;

/// Puts the nice value to 0, and the scheduling policy, the I/O priority and the CPU
/// affinity, where the system has them, to what a new system gives. Async-signal-safe.
///
/// # Errors
/// As setpriority(2): `EACCES` or `EPERM` for lowering the nice value without privilege.
///
/// # References
/// setpriority(2), sched_setscheduler(2), sched_setaffinity(2), ioprio_set(2)
pub fn reset() -> Result<(), Errno> {
    system::reset_policy()?;
    // SAFETY: takes three numbers.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 0) }).map(drop)
}

/// Whether the nice value is 0 and the policy the ordinary one. Async-signal-safe.
///
/// # Errors
/// As sched_getscheduler(2).
pub fn is_reset() -> Result<bool, Errno> {
    // SAFETY: takes two numbers. -1 is an answer too, and one that is not wanted.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    Ok(nice == 0 && system::policy_is_reset()?)
}

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "scheduling/linux.rs"]
        mod system;
    } else {
        mod system {
            use isol_core::Errno;

            pub(super) fn reset_policy() -> Result<(), Errno> {
                Ok(())
            }

            pub(super) fn policy_is_reset() -> Result<bool, Errno> {
                Ok(true)
            }
        }
    }
}
