//! Where Linux keeps state, and how a file system is mounted there.

use std::os::fd::OwnedFd;

use nix::sys::statvfs::{FsFlags, fstatvfs};

/// `/run` goes with a reboot, as what is in it should; `/var/lib` is for hosts where it is mounted noexec.
pub(super) const CANDIDATES: &[&str] = &["/run/isol", "/var/lib/isol"];

/// What a mount forbids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mounted {
    pub(super) noexec: bool,
    pub(super) nodev: bool,
}

pub(super) fn mounted(dir: &OwnedFd) -> nix::Result<Mounted> {
    let flags = fstatvfs(dir)?.flags();
    Ok(Mounted {
        noexec: flags.contains(FsFlags::ST_NOEXEC),
        nodev: flags.contains(FsFlags::ST_NODEV),
    })
}
