//! FreeBSD's, and stand-ins for what only Linux has.

#[path = "linux_only.rs"]
mod linux_only;
#[path = "freebsd/mounts.rs"]
mod mounts;
#[path = "freebsd/others.rs"]
mod others;

pub use linux_only::*;
pub use mounts::{mount_tmpfs, mounts, new_jail, unmount};
pub use others::{list, trace};
