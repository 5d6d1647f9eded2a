//! macOS: the crate `libc` has no message queues for it, and shm_open(2) takes what it likes.

use std::ffi::CStr;

use libc::{c_int, c_uint, c_void, key_t, mode_t};

// SAFETY: as <sys/msg.h> declares them; the structure of msgctl(2) is only ever absent here.
unsafe extern "C" {
    pub(super) fn msgget(key: key_t, flags: c_int) -> c_int;
    pub(super) fn msgsnd(queue: c_int, message: *const c_void, size: usize, flags: c_int) -> c_int;
    pub(super) fn msgctl(queue: c_int, command: c_int, to: *mut c_void) -> c_int;
}

pub(super) fn shm_open(name: &CStr, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the name is NUL-terminated and outlives the call; the third argument is promoted.
    unsafe { libc::shm_open(name.as_ptr(), flags, c_uint::from(mode)) }
}
