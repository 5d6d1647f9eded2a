//! fchmod(2) and fchown(2).

use std::os::fd::BorrowedFd;

use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Uid, fchown};

pub(super) fn set_mode(file: BorrowedFd<'_>, mode: u32) -> nix::Result<()> {
    fchmod(file, Mode::from_bits_truncate(mode as libc::mode_t))
}

pub(super) fn set_owner(file: BorrowedFd<'_>, uid: u32) -> nix::Result<()> {
    fchown(file, Some(Uid::from_raw(uid)), None)
}
