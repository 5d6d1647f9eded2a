//! Where macOS keeps state, and how a file system is mounted there.

use std::os::fd::OwnedFd;

use nix::mount::MntFlags;
use nix::sys::statfs::fstatfs;

/// `/var` is a symbolic link there, which is never followed here; the group `daemon` can
/// write to `/private/var/run`, and so could put another directory in the place of this one.
pub(super) const CANDIDATES: &[&str] = &["/private/var/db/isol"];

/// What a mount forbids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mounted {
    pub(super) noexec: bool,
    pub(super) nodev: bool,
}

pub(super) fn mounted(dir: &OwnedFd) -> nix::Result<Mounted> {
    let flags = fstatfs(dir)?.flags();
    // A node that is made outside of devfs is not to be relied on.
    Ok(Mounted { noexec: flags.contains(MntFlags::MNT_NOEXEC), nodev: true })
}
