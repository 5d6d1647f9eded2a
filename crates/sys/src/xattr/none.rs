//! No other system that isol knows gives privileges by an attribute of a file.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

pub(super) fn has_file_capabilities(_file: BorrowedFd<'_>) -> nix::Result<bool> {
    Ok(false)
}

pub(super) fn has_file_capabilities_at(_dir: BorrowedFd<'_>, _name: &CStr) -> nix::Result<bool> {
    Ok(false)
}

pub(super) fn remove_file_capabilities(_file: BorrowedFd<'_>) -> nix::Result<()> {
    Ok(())
}

pub(super) fn has_default_access_list(_dir: BorrowedFd<'_>) -> nix::Result<bool> {
    Ok(false)
}

pub(super) fn has_access_list(_file: BorrowedFd<'_>) -> nix::Result<bool> {
    Ok(false)
}

pub(super) fn file_capabilities(_file: BorrowedFd<'_>) -> nix::Result<Option<Vec<u8>>> {
    Ok(None)
}

pub(super) fn set_file_capabilities(_file: BorrowedFd<'_>, _value: &[u8]) -> nix::Result<()> {
    Err(nix::errno::Errno::ENOTSUP)
}
