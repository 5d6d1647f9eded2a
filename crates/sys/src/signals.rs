//! Signal masks, dispositions and interval timers.

use isol_core::Errno;

use crate::errno::check;

/// Which dispositions to put back to the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// All of them: for a process that becomes another program.
    All,
    /// The ignored ones, but for `SIGPIPE`: for a process that goes on, whose handlers
    /// are its own, and whose Rust runtime ignores `SIGPIPE`.
    Ignored,
}

/// The highest signal number, inclusive.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LAST: libc::c_int = 64;
#[cfg(target_os = "freebsd")]
const LAST: libc::c_int = 128;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const LAST: libc::c_int = 31;

/// Puts dispositions back to the default. Async-signal-safe.
///
/// # Errors
/// As sigaction(2).
///
/// # References
/// sigaction(2), signal(7): an ignored signal stays ignored across execve
pub fn reset_dispositions(reset: Reset) -> Result<(), Errno> {
    for signal in (1..=LAST).filter(|&s| s != libc::SIGKILL && s != libc::SIGSTOP) {
        let applies = match reset {
            Reset::All => true,
            Reset::Ignored => signal != libc::SIGPIPE && system::is_ignored(signal)?,
        };
        if applies {
            system::set_default(signal)?;
        }
    }
    Ok(())
}

/// Whether a signal is ignored that [`reset_dispositions`] would put back. Async-signal-safe.
///
/// # Errors
/// As sigaction(2).
pub fn first_ignored(reset: Reset) -> Result<Option<i32>, Errno> {
    for signal in (1..=LAST).filter(|&s| s != libc::SIGKILL && s != libc::SIGSTOP) {
        let exempt = reset == Reset::Ignored && signal == libc::SIGPIPE;
        if !exempt && system::is_ignored(signal)? {
            return Ok(Some(signal));
        }
    }
    Ok(None)
}

/// A signal mask.
#[derive(Clone, Copy)]
pub struct Mask(system::RawMask);

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mask")
    }
}

/// Ignores a signal. Async-signal-safe.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn ignore(signal: i32) -> Result<(), Errno> {
    system::ignore(signal)
}

/// Blocks every signal of this thread and returns the mask before. Async-signal-safe.
///
/// # Errors
/// As sigprocmask(2).
///
/// # References
/// sigprocmask(2)
pub fn block_all() -> Result<Mask, Errno> {
    system::swap_mask(&system::full_mask()).map(Mask)
}

/// Puts a mask back. Async-signal-safe.
///
/// # Errors
/// As sigprocmask(2).
pub fn restore(mask: &Mask) -> Result<(), Errno> {
    system::swap_mask(&mask.0).map(drop)
}

/// Blocks no signal. Async-signal-safe.
///
/// # Errors
/// As sigprocmask(2).
pub fn unblock_all() -> Result<(), Errno> {
    system::swap_mask(&system::empty_mask()).map(drop)
}

/// Whether this thread blocks no signal. Async-signal-safe.
///
/// # Errors
/// As sigprocmask(2).
pub fn none_is_blocked() -> Result<bool, Errno> {
    system::current_mask().map(|mask| system::is_empty(&mask))
}

/// Stops the three interval timers, and alarm(2) with them. Async-signal-safe.
///
/// # Errors
/// As setitimer(2).
///
/// # References
/// setitimer(2): they survive execve
pub fn stop_timers() -> Result<(), Errno> {
    let zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let stopped = libc::itimerval { it_interval: zero, it_value: zero };
    for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
        // SAFETY: the structure is readable; the old value is not asked for.
        check(unsafe { libc::setitimer(timer, &stopped, std::ptr::null_mut()) })?;
    }
    Ok(())
}

/// Whether none of them runs. Async-signal-safe.
///
/// # Errors
/// As getitimer(2).
pub fn timers_are_stopped() -> Result<bool, Errno> {
    for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
        let zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
        let mut found = libc::itimerval { it_interval: zero, it_value: zero };
        // SAFETY: the structure is writable for the call.
        check(unsafe { libc::getitimer(timer, &mut found) })?;
        if found.it_value.tv_sec != 0 || found.it_value.tv_usec != 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Sets the umask and returns the one before. Async-signal-safe.
///
/// # References
/// umask(2)
pub fn set_umask(umask: u32) -> u32 {
    // SAFETY: takes a number, cannot fail.
    let before = unsafe { libc::umask(umask as libc::mode_t) };
    before as u32
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "signals/linux.rs"]
mod system;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "signals/posix.rs"]
mod system;
