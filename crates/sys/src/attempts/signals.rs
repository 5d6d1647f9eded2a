//! Signals and timers that are inherited.

use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use isol_core::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigprocmask};

use crate::errno::check;
use crate::signals::{Reset, first_ignored};

/// Blocks signals.
///
/// # Errors
/// As sigprocmask(2).
pub fn block(signals: &[i32]) -> Result<(), Errno> {
    let set: SigSet = signals.iter().filter_map(|&s| Signal::try_from(s).ok()).collect();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None).map_err(crate::errno::from_nix)
}

/// The signals that are blocked, of those that have names.
///
/// # Errors
/// As sigprocmask(2).
pub fn blocked() -> Result<Vec<i32>, Errno> {
    let mut set = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, None, Some(&mut set)).map_err(crate::errno::from_nix)?;
    Ok(set.iter().map(|signal| signal as i32).collect())
}

/// Ignores a signal.
///
/// # Errors
/// As signal(2).
pub fn ignore(signal: i32) -> Result<(), Errno> {
    let signal = Signal::try_from(signal).map_err(crate::errno::from_nix)?;
    // SAFETY: ignoring runs no handler.
    unsafe { nix::sys::signal::signal(signal, SigHandler::SigIgn) }
        .map(drop)
        .map_err(crate::errno::from_nix)
}

static HERE: AtomicUsize = AtomicUsize::new(0);
static ELSEWHERE: AtomicUsize = AtomicUsize::new(0);
static COUNTING: AtomicI32 = AtomicI32::new(0);

extern "C" fn count(_signal: libc::c_int) {
    let here = COUNTING.load(Ordering::SeqCst) == crate::process::Pid::own().get();
    if here { &HERE } else { &ELSEWHERE }.fetch_add(1, Ordering::SeqCst);
}

/// Has a handler count a signal.
///
/// # Errors
/// As sigaction(2).
pub fn count_arrivals(signal: i32) -> Result<(), Errno> {
    COUNTING.store(crate::process::Pid::own().get(), Ordering::SeqCst);
    let signal = Signal::try_from(signal).map_err(crate::errno::from_nix)?;
    let action = SigAction::new(SigHandler::Handler(count), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler touches integers only.
    unsafe { nix::sys::signal::sigaction(signal, &action) }
        .map(drop)
        .map_err(crate::errno::from_nix)
}

/// How often it came: to this process, and to one that ran the handler on this process's memory.
#[must_use]
pub fn arrivals() -> (usize, usize) {
    (HERE.load(Ordering::SeqCst), ELSEWHERE.load(Ordering::SeqCst))
}

/// The signals that are ignored.
///
/// # Errors
/// As sigaction(2).
pub fn ignored() -> Result<Vec<i32>, Errno> {
    let mut found = Vec::new();
    for signal in Signal::iterator() {
        if is_ignored(signal as i32)? {
            found.push(signal as i32);
        }
    }
    // Those without a name, too.
    match first_ignored(Reset::Ignored)? {
        Some(other) if !found.contains(&other) => found.push(other),
        _ => {}
    }
    Ok(found)
}

fn is_ignored(signal: i32) -> Result<bool, Errno> {
    // SAFETY: all-zero bytes are a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: only asks; the structure is writable for the call.
    check(unsafe { libc::sigaction(signal, std::ptr::null(), &mut action) })?;
    Ok(action.sa_sigaction == libc::SIG_IGN)
}

/// Has SIGALRM come after some time.
///
/// # Errors
/// As setitimer(2).
pub fn arm_timer(seconds: u64) -> Result<(), Errno> {
    let zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let value = libc::timeval { tv_sec: seconds as libc::time_t, tv_usec: 0 };
    let timer = libc::itimerval { it_interval: zero, it_value: value };
    // SAFETY: the structure is readable; the old value is not asked for.
    check(unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) }).map(drop)
}

/// Whether one of the three interval timers runs.
///
/// # Errors
/// As getitimer(2).
pub fn armed() -> Result<bool, Errno> {
    crate::signals::timers_are_stopped().map(|stopped| !stopped)
}
