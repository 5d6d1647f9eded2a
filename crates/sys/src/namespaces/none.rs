//! Systems without namespaces.

use std::ffi::CStr;
use std::io;
use std::os::fd::{OwnedFd, RawFd};

use isol_core::Errno;

use super::{Inner, Kinds, Range, Split};
use crate::errno::NOT_HERE;

pub(super) fn leave(_kinds: Kinds) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn join_user(_fd: RawFd) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn split(_how: Split, _made: &mut dyn FnMut(i32)) -> Result<Inner, Errno> {
    Err(NOT_HERE)
}

pub(super) fn make(_uids: &[Range], _gids: &[Range]) -> io::Result<OwnedFd> {
    Err(NOT_HERE.into())
}

pub(super) fn try_one() -> io::Result<()> {
    Err(NOT_HERE.into())
}

pub(super) fn write(_path: &CStr, _text: &[u8]) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn make_files_as(_uid: u32, _gid: u32) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn parent_is_outside() -> bool {
    false
}

pub(super) fn loopback_up() -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn set_hostname(_name: &CStr) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn may_be_made() -> bool {
    false
}

pub(super) fn kernel() -> Option<(u32, u32)> {
    None
}
