//! Systems without jails.

use std::ffi::{CStr, CString};
use std::path::Path;

use isol_core::{Errno, Text};

use super::{Found, Kind, Request};
use crate::errno::NOT_HERE;

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn create_and_attach(_request: &Request) -> Result<i32, Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn update(_request: &Request) -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn find(_name: &CStr) -> Result<Found, Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn read_back(_jail: i32, _parameter: &CString) -> Result<i32, Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn has_members(
    _jail: i32,
    _list: &CStr,
    _members: &[u8],
    _width: usize,
) -> Result<bool, Errno> {
    Err(NOT_HERE)
}

/// Not on this system: false.
#[must_use]
pub fn is_inside() -> bool {
    false
}

/// Not on this system: none.
#[must_use]
pub fn children_left() -> Option<i32> {
    None
}

/// Not on this system: none.
#[must_use]
pub fn kind_of(_name: &str) -> Option<Kind> {
    None
}

/// Not on this system: none.
///
/// # Errors
/// Never.
pub fn list() -> Result<Vec<i32>, Errno> {
    Ok(Vec::new())
}

/// Not on this system: none.
#[must_use]
pub fn control(_name: &CStr) -> Option<i32> {
    None
}

/// Not on this system: none.
#[must_use]
pub fn open_directory() -> Option<(i32, Text)> {
    None
}

/// Not on this system: all, for there is no jail around.
#[must_use]
pub fn has_system_v_ipc() -> [bool; 3] {
    [true; 3]
}

/// There are none.
///
/// # Errors
/// None.
pub fn rooted_at(_path: &Path) -> Result<Vec<i32>, Errno> {
    Ok(Vec::new())
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn remove(_jail: i32) -> Result<(), Errno> {
    Err(NOT_HERE)
}
