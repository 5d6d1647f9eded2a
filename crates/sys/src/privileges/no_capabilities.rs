//! Systems without capabilities, keyrings and execution domains.

use isol_core::Errno;

use crate::errno::NOT_HERE;

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn limit_bounding_set(_keep: u64) -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn bounding_set_is(_keep: u64) -> Result<bool, Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn empty_capabilities() -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn capabilities_are_empty() -> Result<bool, Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn lock_securebits(_stays_root: bool) -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn securebits_are_locked(_stays_root: bool) -> Result<bool, Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn leave_session_keyring() -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn reset_execution_domain() -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn execution_domain_is_plain() -> Result<bool, Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn set_capabilities(_keep: u64) -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn capabilities_are(_keep: u64) -> Result<bool, Errno> {
    Err(NOT_HERE)
}
