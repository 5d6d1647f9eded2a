//! Systems whose mounts are others.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use isol_core::Errno;

use super::{Forbids, Mounted};
use crate::errno::NOT_HERE;
use crate::jail::Request;

pub(super) fn mount(_at: BorrowedFd<'_>, _request: &Request) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn list() -> Result<Vec<Mounted>, Errno> {
    Err(NOT_HERE)
}

pub(super) fn of(_file: BorrowedFd<'_>) -> Result<Mounted, Errno> {
    Err(NOT_HERE)
}

pub(super) fn forbids_at(_path: &CStr) -> Result<Forbids, Errno> {
    Err(NOT_HERE)
}

pub(super) fn unmount(_mount: &Mounted) -> Result<(), Errno> {
    Err(NOT_HERE)
}
