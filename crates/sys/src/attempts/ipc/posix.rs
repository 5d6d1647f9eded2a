//! The calls as the crate `libc` has them.

use std::ffi::CStr;

use libc::{c_int, mode_t};
pub(super) use libc::{msgctl, msgget, msgsnd};

pub(super) fn shm_open(name: &CStr, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the name is NUL-terminated and outlives the call.
    unsafe { libc::shm_open(name.as_ptr(), flags, mode) }
}
