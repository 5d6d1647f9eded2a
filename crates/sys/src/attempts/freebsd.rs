//! FreeBSD's, and stand-ins for what only Linux has.

#[path = "linux_only.rs"]
mod linux_only;
#[path = "freebsd/mounts.rs"]
mod mounts;
#[path = "freebsd/others.rs"]
mod others;
#[path = "freebsd/privileges.rs"]
mod privileges;

pub use linux_only::*;
pub use mounts::{may_mount, mount_tmpfs, mounts, new_jail, unmount};
pub use others::{list, trace};
pub use privileges::adopt_orphans;
