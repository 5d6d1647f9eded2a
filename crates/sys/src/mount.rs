//! How a file system is mounted, and taking away what is.

cfg_if::cfg_if! {
    if #[cfg(target_os = "freebsd")] {
        #[path = "mount/freebsd.rs"]
        mod system;
    } else {
        #[path = "mount/none.rs"]
        mod system;
    }
}

#[cfg(all(target_os = "freebsd", feature = "attempts"))]
pub(crate) use system::points;

use std::os::fd::AsFd;
use std::path::Path;

use isol_core::Errno;
use nix::sys::statvfs::{FsFlags, fstatvfs};

use crate::errno::from_nix;

/// Whether the file system that a descriptor is on is mounted `noexec`.
///
/// # Errors
/// As fstatvfs(3).
///
/// # References
/// fstatvfs(3), mount(8)
pub fn forbids_execution(fd: impl AsFd) -> Result<bool, Errno> {
    cfg_if::cfg_if! {
        if #[cfg(any(target_os = "linux", target_os = "android"))] {
            let flags = fstatvfs(fd).map_err(from_nix)?.flags();
            Ok(flags.contains(FsFlags::ST_NOEXEC))
        } else {
            // statvfs(3) has no such flag there; execve(2) says EACCES.
            let _: FsFlags = fstatvfs(fd).map_err(from_nix)?.flags();
            Ok(false)
        }
    }
}

/// Takes away what is mounted below a directory, where a mount outlives the process that made it. Busy or not.
///
/// # Errors
/// As getfsstat(2) and unmount(2).
///
/// # References
/// getfsstat(2), unmount(2)
pub fn unmount_below(top: &Path) -> Result<(), Errno> {
    system::unmount_below(top)
}
