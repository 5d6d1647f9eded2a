//! Namespaces.

use std::ffi::CStr;
use std::os::fd::RawFd;

use isol_core::Errno;

use crate::attempts::Namespace;
use crate::errno::{NOT_HERE, check};

/// Makes a user namespace and enters it.
///
/// # Errors
/// As unshare(2).
pub fn new_user_namespace() -> Result<(), Errno> {
    // SAFETY: takes a number.
    check(unsafe { libc::unshare(libc::CLONE_NEWUSER) }).map(drop)
}

/// Enters a namespace of the process that a descriptor is of.
///
/// # Errors
/// As setns(2).
pub fn join(pidfd: RawFd, which: Namespace) -> Result<(), Errno> {
    let kind = match which {
        Namespace::Mount => libc::CLONE_NEWNS,
        Namespace::Uts => libc::CLONE_NEWUTS,
        Namespace::Ipc => libc::CLONE_NEWIPC,
        Namespace::Net => libc::CLONE_NEWNET,
    };
    // SAFETY: takes two numbers.
    check(unsafe { libc::setns(pidfd, kind) }).map(drop)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn new_jail(_path: &CStr) -> Result<(), Errno> {
    Err(NOT_HERE)
}
