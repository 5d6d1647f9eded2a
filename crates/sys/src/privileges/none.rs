//! Systems without Linux's privileges, and without FreeBSD's procctl(2).

#[path = "no_capabilities.rs"]
mod no_capabilities;

use isol_core::Errno;

use crate::errno::NOT_HERE;

pub use no_capabilities::*;

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn set_no_new_privileges() -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn has_no_new_privileges() -> Result<bool, Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn set_parent_death_signal(_signal: i32) -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn parent_death_signal() -> Result<i32, Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn stop_tracing() -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn tracing_is_stopped() -> Result<bool, Errno> {
    Err(NOT_HERE)
}
