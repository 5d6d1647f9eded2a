//! Systems without a rename that fails when the name is taken.

use std::os::fd::BorrowedFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::renameat;

use crate::meta::Meta;

pub(super) fn no_replace(
    from: BorrowedFd<'_>,
    old: &Path,
    to: BorrowedFd<'_>,
    new: &Path,
) -> nix::Result<()> {
    match Meta::at(to, new) {
        Ok(_) => Err(Errno::EEXIST),
        Err(Errno::ENOENT) => renameat(from, old, to, new),
        Err(e) => Err(e),
    }
}
