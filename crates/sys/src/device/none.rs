//! Where devices work in devfs only.

use std::os::fd::BorrowedFd;

use nix::errno::Errno;

use super::Harmless;

pub(super) fn number(_device: Harmless) -> Option<u64> {
    None
}

pub(super) fn make(_dir: BorrowedFd<'_>, _device: Harmless) -> nix::Result<()> {
    Err(Errno::ENOTSUP)
}
