//! FreeBSD: close_range(2) since 12.2.

use std::os::fd::RawFd;

use isol_core::Errno;

use crate::errno::check;

pub(super) fn close_between(first: RawFd, last: RawFd) -> Result<(), Errno> {
    // SAFETY: takes three numbers. Nothing in this process relies on the descriptors:
    // it is about to become another program, or has named those that it keeps.
    check(unsafe { libc::close_range(first as u32, last as u32, 0) }).map(drop)
}

/// No child shares its parent's table here.
pub(super) fn part_from_parent(_last: RawFd) -> Result<(), Errno> {
    Ok(())
}

/// Nobody tells cheaply: it is not looked at.
pub(super) fn none_is_open_from(first: RawFd) -> Result<bool, Errno> {
    Ok(first >= 1024)
}
