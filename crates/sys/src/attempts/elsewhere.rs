//! Systems without Linux's ways out and FreeBSD's.

#[path = "linux_only.rs"]
mod linux_only;

use std::ffi::CStr;

use isol_core::Errno;

pub use linux_only::*;

not_here! {
    mount_tmpfs(&CStr) -> ();
    unmount(&CStr) -> ();
    may_mount(&CStr) -> ();
    adopt_orphans() -> ();
    mounts() -> Vec<String>;
    new_jail(&CStr) -> ();
    trace(i32) -> ();
    list() -> Vec<i32>;
}
