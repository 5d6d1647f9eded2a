//! Systems without namespaces.

use std::ffi::CStr;
use std::io;
use std::os::fd::{OwnedFd, RawFd};

use isol_core::{Errno, IdRange};

use super::{Denied, Inner, Kinds, Split};
use crate::errno::NOT_HERE;
use crate::mounts::Fd;
use crate::subids::{Helpers, MapError};

pub(super) fn leave(_kinds: Kinds) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn join_user(_fd: RawFd) -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// There is none.
#[derive(Debug)]
pub(super) enum Image {}

impl Image {
    pub(super) fn new() -> Option<Self> {
        None
    }
}

pub(super) fn split(
    _how: Split,
    _image: Option<&Image>,
    _loopback: bool,
    _made: &mut dyn FnMut(i32),
) -> Result<Inner, Errno> {
    Err(NOT_HERE)
}

pub(super) fn make(_uids: &[IdRange], _gids: &[IdRange]) -> io::Result<OwnedFd> {
    Err(NOT_HERE.into())
}

pub(super) fn make_of_given(
    _uids: &[IdRange],
    _gids: &[IdRange],
    _by: &Helpers,
) -> Result<OwnedFd, MapError> {
    Err(MapError::System(NOT_HERE.into()))
}

pub(super) fn try_one() -> Result<(), Denied> {
    Err(NOT_HERE.into())
}

pub(super) fn write(_path: &CStr, _text: &[u8]) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn make_files_as(_uid: u32, _gid: u32) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn own() -> Result<Fd, Errno> {
    Err(NOT_HERE)
}

pub(super) fn read_link(_at: &Fd, _name: &CStr, _text: &mut [u8]) -> Result<usize, Errno> {
    Err(NOT_HERE)
}

pub(super) fn parent_is_outside() -> bool {
    false
}

pub(super) fn why_no_init() -> Option<i32> {
    None
}

pub(super) fn init_is_there() {}

pub(super) fn await_later(_ready: RawFd) -> bool {
    false
}

pub(super) fn awaited() -> Option<RawFd> {
    None
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
