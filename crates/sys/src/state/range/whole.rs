//! The whole file, by flock(2): such locks of parts as there are belong to the process, and go when it closes any
//! descriptor of the file.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::fcntl::FlockArg;

// `nix::fcntl::Flock` would have the file.
#[allow(deprecated)]
fn flock(file: BorrowedFd<'_>, how: FlockArg) -> nix::Result<()> {
    nix::fcntl::flock(file.as_raw_fd(), how)
}

pub(super) fn try_lock(file: BorrowedFd<'_>, _byte: u32) -> nix::Result<()> {
    flock(file, FlockArg::LockExclusiveNonblock)
}

pub(super) fn unlock(file: BorrowedFd<'_>) {
    // The file is closed next, which does the same.
    let _ = flock(file, FlockArg::Unlock);
}
