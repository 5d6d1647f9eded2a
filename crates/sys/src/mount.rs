//! How a file system is mounted.

use std::os::fd::AsFd;

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

/// Whether set-id bits mean nothing on the file system that a descriptor is on.
///
/// # Errors
/// As fstatvfs(3).
///
/// # References
/// fstatvfs(3), mount(8)
pub fn ignores_set_id(fd: impl AsFd) -> Result<bool, Errno> {
    Ok(fstatvfs(fd).map_err(from_nix)?.flags().contains(FsFlags::ST_NOSUID))
}

/// Whether devices can't be opened on the file system that a descriptor is on: it is mounted `nodev`.
///
/// # Errors
/// As fstatvfs(3).
///
/// # References
/// fstatvfs(3), mount(8)
pub fn forbids_devices(fd: impl AsFd) -> Result<bool, Errno> {
    cfg_if::cfg_if! {
        if #[cfg(any(target_os = "linux", target_os = "android"))] {
            let flags = fstatvfs(fd).map_err(from_nix)?.flags();
            Ok(flags.contains(FsFlags::ST_NODEV))
        } else {
            let _: FsFlags = fstatvfs(fd).map_err(from_nix)?.flags();
            Ok(false)
        }
    }
}
