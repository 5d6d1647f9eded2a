//! Linux: a node with major number 1 and minor number 3.

use std::os::fd::BorrowedFd;

use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmodat, makedev, mknodat};

pub(super) fn make_null(dir: BorrowedFd<'_>) -> nix::Result<()> {
    let everybody = Mode::from_bits_truncate(0o666);
    mknodat(dir, "null", SFlag::S_IFCHR, everybody, makedev(1, 3))?;
    // The umask has been at it. The directory is the caller's own, so the name still means the new node.
    fchmodat(dir, "null", everybody, FchmodatFlags::FollowSymlink)
}
