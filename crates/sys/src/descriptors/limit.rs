//! Systems without close_range(2): every number below the limit. A limit that was lowered
//! hides those above it, so that the hard one counts.

use std::os::fd::RawFd;

use isol_core::Errno;

use crate::errno::check;

/// More than any system's table holds in practice, for a limit that is no limit.
const MOST: libc::rlim_t = 1 << 20;

pub(super) fn close_between(first: RawFd, last: RawFd) -> Result<(), Errno> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is writable for the call.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
    for fd in first..=last.min(limit.rlim_max.min(MOST) as RawFd) {
        // SAFETY: nothing in this process relies on the descriptor: it is about to become
        // another program, or has named those that it keeps. A number that is not open is
        // refused with EBADF.
        unsafe { libc::close(fd) };
    }
    Ok(())
}

/// No child shares its parent's table here.
pub(super) fn part_from_parent(_last: RawFd) -> Result<(), Errno> {
    Ok(())
}

/// Nobody tells cheaply: it is not looked at.
pub(super) fn none_is_open_from(first: RawFd) -> Result<bool, Errno> {
    Ok(first >= 1024)
}
