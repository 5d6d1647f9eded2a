//! fstatat(2).

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use super::Brief;
use crate::meta::Meta;

pub(super) fn at(dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<Brief> {
    Meta::at(dir, name).map(Brief::from)
}

pub(super) fn behind(dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<Brief> {
    let stat = nix::sys::stat::fstatat(dir, name, nix::fcntl::AtFlags::empty())?;
    Ok(Meta::from(&stat).into())
}

pub(super) fn of(file: BorrowedFd<'_>) -> nix::Result<Brief> {
    Meta::of(file).map(Brief::from)
}
