//! Systems without capabilities, keyrings and execution domains.

use isol_core::Errno;

use crate::errno::NOT_HERE;

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn empty_bounding_set() -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn bounding_set_is_empty() -> Result<bool, Errno> {
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
pub fn lock_securebits() -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Not on this system.
///
/// # Errors
/// Always `ENOSYS`.
pub fn securebits_are_locked() -> Result<bool, Errno> {
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
