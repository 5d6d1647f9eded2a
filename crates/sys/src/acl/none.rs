//! Systems whose access lists bound what they allow by the group's permission bits.

use std::os::fd::BorrowedFd;

pub(super) const BESIDE_THE_MODE: bool = false;
pub(super) const REMOVE: &str = "setfacl -b";

pub(super) fn allows_beside_the_mode(_file: BorrowedFd<'_>) -> nix::Result<bool> {
    Ok(false)
}
