//! Keyrings.

use std::ffi::CStr;

use isol_core::Errno;
use libc::c_long;

use crate::attempts::Ring;
use crate::errno::check_long;

const SEARCH: c_long = 10;
const READ: c_long = 11;
const SETPERM: c_long = 5;

impl Ring {
    const fn number(self) -> c_long {
        match self {
            Ring::Session => -3,
            Ring::User => -4,
        }
    }
}

/// Puts a key into a keyring.
///
/// # Errors
/// As add_key(2).
///
/// # References
/// add_key(2), keyrings(7)
pub fn add(ring: Ring, name: &CStr, text: &[u8]) -> Result<(), Errno> {
    // SAFETY: both names are NUL-terminated, and the text is readable for its length.
    let key = check_long(unsafe {
        libc::syscall(
            libc::SYS_add_key,
            c"user".as_ptr(),
            name.as_ptr(),
            text.as_ptr(),
            text.len(),
            ring.number(),
        )
    })?;
    // Everything, for whoever has it and for its uid.
    const PERMISSIONS: c_long = 0x3f3f_0000;
    // SAFETY: takes numbers only.
    check_long(unsafe { libc::syscall(libc::SYS_keyctl, SETPERM, key, PERMISSIONS) }).map(drop)
}

/// What stands in a key of a keyring.
///
/// # Errors
/// As keyctl(2).
///
/// # References
/// KEYCTL_SEARCH(2const), KEYCTL_READ(2const)
pub fn read_key(ring: Ring, name: &CStr) -> Result<Vec<u8>, Errno> {
    // SAFETY: both names are NUL-terminated; 0 links the key to nothing.
    let key = check_long(unsafe {
        libc::syscall(libc::SYS_keyctl, SEARCH, ring.number(), c"user".as_ptr(), name.as_ptr(), 0)
    })?;
    let mut text = vec![0_u8; 256];
    // SAFETY: the buffer is writable for the length that is given.
    let count = check_long(unsafe {
        libc::syscall(libc::SYS_keyctl, READ, key, text.as_mut_ptr(), text.len())
    })?;
    text.truncate(count as usize);
    Ok(text)
}
