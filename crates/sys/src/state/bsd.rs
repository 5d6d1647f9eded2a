//! Where FreeBSD and its kin keep state, and how a file system is mounted there.

use std::os::fd::OwnedFd;

use nix::mount::MntFlags;
use nix::sys::statfs::fstatfs;

pub(super) const CANDIDATES: &[&str] = &["/var/run/isol", "/var/db/isol"];

/// What a mount forbids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mounted {
    pub(super) noexec: bool,
    pub(super) nodev: bool,
}

pub(super) fn mounted(dir: &OwnedFd) -> nix::Result<Mounted> {
    let flags = fstatfs(dir)?.flags();
    // FreeBSD has had no MNT_NODEV since devfs: a node outside devfs can be made there, but never works.
    Ok(Mounted { noexec: flags.contains(MntFlags::MNT_NOEXEC), nodev: true })
}
