//! Systems without Landlock.

use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use isol_core::Errno;

use super::{Failed, Restriction};
use crate::errno::NOT_HERE;

/// The version of the kernel's interface.
///
/// # Errors
/// Always `ENOSYS`.
pub fn version() -> Result<u32, Errno> {
    Err(NOT_HERE)
}

/// Opens what a path leads to.
///
/// # Errors
/// Always `ENOSYS`.
pub fn find(_root: Option<BorrowedFd<'_>>, _path: &CStr) -> Result<OwnedFd, Errno> {
    Err(NOT_HERE)
}

/// Puts a restriction in force.
///
/// # Errors
/// Always `ENOSYS`.
pub fn restrict(_restriction: &Restriction) -> Result<(), Failed> {
    Err(Failed { errno: NOT_HERE, what: "Landlock" })
}
