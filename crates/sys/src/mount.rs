//! How a file system is mounted.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "mount/linux.rs"]
        mod os;
    } else if #[cfg(any(target_os = "freebsd", target_os = "macos"))] {
        #[path = "mount/bsd.rs"]
        mod os;
    } else {
        #[path = "mount/none.rs"]
        mod os;
    }
}

#[cfg(target_os = "linux")]
pub(crate) use os::points;

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

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

/// Whether a file is on a proc file system.
///
/// # Errors
/// As fstatfs(2).
///
/// # References
/// fstatfs(2), proc(5)
///
/// ```
/// assert!(!isol_sys::mount::is_proc(std::fs::File::open("/")?)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn is_proc(fd: impl AsFd) -> nix::Result<bool> {
    os::is_proc(fd.as_fd())
}

/// A file system by which whoever sees it sees more of the host than files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// Processes: proc(5), procfs(4), linprocfs(4).
    Processes,
    /// Linux's POSIX message queues: mq_overview(7).
    MessageQueues,
    /// Linux's control groups, by which processes are signalled: cgroups(7).
    ControlGroups,
    /// FreeBSD's descriptors of the process that looks, fdescfs(4): what is open outside is opened anew.
    Descriptors,
}

impl Window {
    /// As mount(8) calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processes => "a proc file system",
            Self::MessageQueues => "a file system of message queues",
            Self::ControlGroups => "a file system of control groups",
            Self::Descriptors => "a file system of descriptors",
        }
    }

    /// Whether it does no harm where it can't be written to.
    #[must_use]
    pub const fn may_be_read(self) -> bool {
        matches!(self, Self::ControlGroups)
    }
}

/// Whether a file is on a file system that shows more than files.
///
/// # Errors
/// As fstatfs(2).
///
/// # References
/// fstatfs(2)
///
/// ```
/// assert_eq!(isol_sys::mount::window(std::fs::File::open("/")?)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn window(fd: impl AsFd) -> Result<Option<Window>, Errno> {
    os::window(fd.as_fd()).map_err(from_nix)
}

/// Those that are mounted in the directory `path` or below it, which is one without symbolic links: they come along with
/// what is mounted from there.
///
/// # Errors
/// What reading `/proc/self/mountinfo` gives, on Linux, and getfsstat(2) on FreeBSD; `ENOSYS` on macOS.
///
/// # References
/// proc_pid_mountinfo(5), getfsstat(2)
pub fn windows_below(path: &Path) -> Result<Vec<(PathBuf, Window)>, Errno> {
    os::windows_below(path).map_err(from_nix)
}

/// The user, not root, who mounted the file system that a directory is on, and whose program may answer for it.
///
/// # Errors
/// What fstatfs(2) gives, or what reading `/proc/self/mountinfo` gives, on Linux, which alone tells it there.
///
/// # References
/// fuse(4), `user_id`; proc_pid_mountinfo(5); statfs(2), `f_owner`
pub fn mounted_by(fd: impl AsFd) -> nix::Result<Option<u32>> {
    os::mounted_by(fd.as_fd())
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
