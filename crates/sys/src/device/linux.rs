//! Linux: character devices with fixed numbers.

use std::os::fd::BorrowedFd;

use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmodat, makedev, mknodat};

use super::Harmless;

pub(super) fn number(device: Harmless) -> Option<u64> {
    let (major, minor) = match device {
        Harmless::Null => (1, 3),
        Harmless::Zero => (1, 5),
        Harmless::Full => (1, 7),
        Harmless::Random => (1, 8),
        Harmless::Urandom => (1, 9),
        Harmless::Tty => (5, 0),
    };
    Some(makedev(major, minor))
}

pub(super) fn make(dir: BorrowedFd<'_>, device: Harmless) -> nix::Result<()> {
    let everybody = Mode::from_bits_truncate(0o666);
    let number = number(device).unwrap_or_default();
    mknodat(dir, device.name(), SFlag::S_IFCHR, everybody, number)?;
    // The umask has been at it. The directory is the caller's own, so the name still means the new node.
    fchmodat(dir, device.name(), everybody, FchmodatFlags::FollowSymlink)
}
