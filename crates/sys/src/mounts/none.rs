//! Systems whose mounts are others.

use std::ffi::CStr;
use std::os::fd::RawFd;

use isol_core::Errno;

use super::{Fd, Forbids, Is, What};
use crate::errno::NOT_HERE;

pub(super) fn cut_off() -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn copy_tree(_at: RawFd, _path: &CStr, _deep: bool) -> Result<Fd, Errno> {
    Err(NOT_HERE)
}

pub(super) fn new_filesystem(
    _kind: &CStr,
    _options: &[(&CStr, Option<&CStr>)],
    _forbids: Forbids,
) -> Result<Fd, Errno> {
    Err(NOT_HERE)
}

pub(super) fn restrict(_mount: RawFd, _forbids: Forbids, _deep: bool) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn attach(_mount: RawFd, _at: RawFd, _path: &CStr) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn open_below(_directory: RawFd, _path: &CStr, _what: What) -> Result<Fd, Errno> {
    Err(NOT_HERE)
}

pub(super) fn open_without_links(_path: &CStr) -> Result<Fd, Errno> {
    Err(NOT_HERE)
}

pub(super) fn pivot_here() -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn make_directory(_at: RawFd, _name: &CStr, _mode: u32) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn make_file(_at: RawFd, _name: &CStr) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn make_device(_at: RawFd, _name: &CStr, _number: (u32, u32)) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn make_link(_at: RawFd, _name: &CStr, _target: &CStr) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn of(_at: RawFd, _path: &CStr) -> Result<u64, Errno> {
    Err(NOT_HERE)
}

pub(super) fn what_is(_fd: RawFd) -> Result<Is, Errno> {
    Err(NOT_HERE)
}
