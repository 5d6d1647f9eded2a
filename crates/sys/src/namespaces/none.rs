//! Systems without namespaces.

use std::ffi::CStr;
use std::os::fd::RawFd;

use isol_core::Errno;

use super::{Inner, Kinds, Split};
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

pub(super) fn loopback_up() -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn set_hostname(_name: &CStr) -> Result<(), Errno> {
    Err(NOT_HERE)
}

pub(super) fn kernel() -> Option<(u32, u32)> {
    None
}
