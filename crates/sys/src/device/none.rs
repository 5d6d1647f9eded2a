//! Where devices work in devfs only.

use std::os::fd::BorrowedFd;

use nix::errno::Errno;

pub(super) fn make_null(_dir: BorrowedFd<'_>) -> nix::Result<()> {
    Err(Errno::ENOTSUP)
}
