//! Linux: most mounts of isol's go with their namespace; a proof's, which tries what can be seen of the host, may not.

use std::path::Path;

use isol_core::Errno;
use nix::mount::{MntFlags, umount2};

use crate::errno::from_nix;
use crate::mount;

pub(super) fn below(top: &Path) -> Result<(), Errno> {
    // As the kernel tells them: without links. One that is not there has nothing below it.
    let Ok(top) = top.canonicalize() else { return Ok(()) };
    let mut failed = Ok(());
    // The last one first: it may be on another.
    for point in
        mount::points()?.iter().rev().filter(|point| **point != top && point.starts_with(&top))
    {
        let flags = MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW;
        // The others can go all the same.
        failed = failed.and(umount2(point, flags).map_err(from_nix));
    }
    failed
}
