//! FreeBSD: mounts are everybody's, and stay when who made them has gone.

use std::path::Path;

use isol_core::Errno;

use crate::nmount;

pub(super) fn below(top: &Path) -> Result<(), Errno> {
    // As the kernel tells them: without links. One that is not there has nothing below it.
    let Ok(top) = top.canonicalize() else { return Ok(()) };
    let is_below = |path: &Path| path != top && path.starts_with(&top);
    let mut failed = Ok(());
    // The last one first: it may be on another. What is mounted from there may be anywhere.
    for mount in nmount::list()?.iter().rev().filter(|m| is_below(&m.on) || is_below(&m.from)) {
        // The others can go all the same.
        failed = failed.and(nmount::unmount(mount));
    }
    failed
}
