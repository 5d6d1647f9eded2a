//! Nothing is known of it.

use std::os::fd::BorrowedFd;

pub(super) fn is_proc(_fd: BorrowedFd<'_>) -> nix::Result<bool> {
    Ok(false)
}

pub(super) fn mounted_by(_fd: BorrowedFd<'_>) -> nix::Result<Option<u32>> {
    Ok(None)
}
