//! Other systems, by POSIX's functions, which are bare system calls there.

use isol_core::Errno;
use libc::{c_int, sigset_t};

use crate::errno::check;

pub(super) type RawMask = sigset_t;

pub(super) fn set_default(signal: c_int) -> Result<(), Errno> {
    // SAFETY: all-zero bytes are a valid `sigaction`: default handler, empty mask.
    let mut default: libc::sigaction = unsafe { std::mem::zeroed() };
    default.sa_sigaction = libc::SIG_DFL;
    // SAFETY: the action is readable; the old one is not asked for.
    match check(unsafe { libc::sigaction(signal, &default, std::ptr::null_mut()) }) {
        // Numbers that the system keeps to itself.
        Ok(_) | Err(Errno(libc::EINVAL)) => Ok(()),
        Err(errno) => Err(errno),
    }
}

pub(super) fn is_ignored(signal: c_int) -> Result<bool, Errno> {
    // SAFETY: all-zero bytes are a valid `sigaction`.
    let mut found: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: the action is writable; no new one is given.
    match check(unsafe { libc::sigaction(signal, std::ptr::null(), &mut found) }) {
        Ok(_) => Ok(found.sa_sigaction == libc::SIG_IGN),
        Err(Errno(libc::EINVAL)) => Ok(false),
        Err(errno) => Err(errno),
    }
}

pub(super) fn full_mask() -> RawMask {
    let mut mask = empty_mask();
    // SAFETY: the set is writable.
    unsafe { libc::sigfillset(&mut mask) };
    mask
}

pub(super) fn empty_mask() -> RawMask {
    // SAFETY: all-zero bytes are a valid set; sigemptyset makes it the empty one.
    let mut mask: sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is writable.
    unsafe { libc::sigemptyset(&mut mask) };
    mask
}

pub(super) fn is_empty(mask: &RawMask) -> bool {
    // SAFETY: the set is readable.
    (1..=super::LAST).all(|signal| unsafe { libc::sigismember(mask, signal) } != 1)
}

pub(super) fn swap_mask(to: &RawMask) -> Result<RawMask, Errno> {
    let mut old = empty_mask();
    // SAFETY: both sets are valid for the call.
    told(unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, to, &mut old) })?;
    Ok(old)
}

pub(super) fn current_mask() -> Result<RawMask, Errno> {
    let mut found = empty_mask();
    // SAFETY: the set is writable; no new one is given.
    told(unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), &mut found) })?;
    Ok(found)
}

/// The functions of pthread(3) return the errno.
fn told(errno: c_int) -> Result<(), Errno> {
    if errno == 0 { Ok(()) } else { Err(Errno(errno)) }
}
