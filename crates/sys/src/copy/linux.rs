//! FICLONE.

#[path = "holes.rs"]
mod holes;

use std::fs::File;
use std::os::fd::AsRawFd;

use nix::errno::Errno;

pub(super) use holes::data_from;

pub(super) fn share(from: &File, to: &File) -> nix::Result<()> {
    // SAFETY: FICLONE takes a descriptor by value; nothing is written to this process's memory.
    Errno::result(unsafe { libc::ioctl(to.as_raw_fd(), libc::FICLONE, from.as_raw_fd()) }).map(drop)
}
