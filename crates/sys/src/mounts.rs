//! Linux mounts, by descriptors: nothing here resolves a path that somebody else could change meanwhile.
//!
//! Elsewhere every call answers `ENOSYS`. All functions are async-signal-safe.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, RawFd};

use isol_core::Errno;

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "mounts/linux.rs"]
        mod system;
    } else {
        #[path = "mounts/none.rs"]
        mod system;
    }
}

/// A descriptor that is closed when this goes. Unlike an `OwnedFd` it may be made in a child that shares its
/// parent's memory.
#[derive(Debug)]
pub struct Fd(pub(crate) RawFd);

impl Fd {
    /// Its number.
    #[must_use]
    pub fn get(&self) -> RawFd {
        self.0
    }
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: it is open for as long as this is there.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: opened by this module, closed once.
        unsafe { libc::close(self.0) };
    }
}

/// The working directory, where a directory is asked for.
pub const HERE: RawFd = libc::AT_FDCWD;

/// What a mount forbids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forbids {
    /// Writing.
    pub write: bool,
    /// Executing.
    pub exec: bool,
    /// Devices.
    pub devices: bool,
}

/// Cuts every mount of this namespace off from those that it was copied from: what is mounted here is mounted nowhere else,
/// and the other way round.
///
/// # Errors
/// As mount(2).
///
/// # References
/// mount_namespaces(7)
pub fn cut_off() -> Result<(), Errno> {
    system::cut_off()
}

/// A copy, not yet attached anywhere, of the mount that a directory is in, from this directory downwards. With `deep`
/// what is mounted below comes along.
///
/// # Errors
/// As open_tree(2).
///
/// # References
/// open_tree(2)
pub fn copy_tree(at: RawFd, path: &CStr, deep: bool) -> Result<Fd, Errno> {
    system::copy_tree(at, path, deep)
}

/// A new file system, not yet attached anywhere: its type, its options (those without a value are flags), and what its
/// mount forbids. Set-id bits never count.
///
/// # Errors
/// As fsopen(2), fsconfig(2) and fsmount(2).
///
/// # References
/// fsopen(2), fsconfig(2), fsmount(2)
pub fn new_filesystem(
    kind: &CStr,
    options: &[(&CStr, Option<&CStr>)],
    forbids: Forbids,
) -> Result<Fd, Errno> {
    system::new_filesystem(kind, options, forbids)
}

/// Has a mount forbid more than it did; with `deep`, also those below. Set-id bits no longer count.
///
/// # Errors
/// As mount_setattr(2).
///
/// # References
/// mount_setattr(2)
pub fn restrict(mount: RawFd, forbids: Forbids, deep: bool) -> Result<(), Errno> {
    system::restrict(mount, forbids, deep)
}

/// Attaches a mount to what `at` is open on, or to `path` below it, whose last component is not followed.
///
/// # Errors
/// As move_mount(2).
///
/// # References
/// move_mount(2)
pub fn attach(mount: RawFd, at: RawFd, path: &CStr) -> Result<(), Errno> {
    system::attach(mount, at, path)
}

/// What to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A directory.
    Directory,
    /// Anything but a link.
    Anything,
}

/// Opens something below a directory, for use as a place: no link is followed, no `..` leads out of the directory.
///
/// # Errors
/// As openat2(2): `ELOOP` for a link.
///
/// # References
/// openat2(2)
pub fn open_below(directory: RawFd, path: &CStr, what: What) -> Result<Fd, Errno> {
    system::open_below(directory, path, what)
}

/// Opens an absolute path that has no link in it, for use as a place: one that has become a link is not followed.
///
/// # Errors
/// As openat2(2): `ELOOP` for a link.
///
/// # References
/// openat2(2): `RESOLVE_NO_SYMLINKS`
pub fn open_without_links(path: &CStr) -> Result<Fd, Errno> {
    system::open_without_links(path)
}

/// Makes the working directory, which is a mount of its own, the root of this namespace, and detaches what was there
/// before.
///
/// # Errors
/// As pivot_root(2).
///
/// # References
/// pivot_root(2), umount2(2)
pub fn pivot_here() -> Result<(), Errno> {
    system::pivot_here()
}

/// Makes a directory.
///
/// # Errors
/// As mkdirat(2).
pub fn make_directory(at: RawFd, name: &CStr, mode: u32) -> Result<(), Errno> {
    system::make_directory(at, name, mode)
}

/// Makes an empty file, for something to be mounted on.
///
/// # Errors
/// As mknodat(2).
pub fn make_file(at: RawFd, name: &CStr) -> Result<(), Errno> {
    system::make_file(at, name)
}

/// Makes a character device that everybody may read and write.
///
/// # Errors
/// As mknodat(2).
pub fn make_device(at: RawFd, name: &CStr, number: (u32, u32)) -> Result<(), Errno> {
    system::make_device(at, name, number)
}

/// Makes a symbolic link.
///
/// # Errors
/// As symlinkat(2).
pub fn make_link(at: RawFd, name: &CStr, target: &CStr) -> Result<(), Errno> {
    system::make_link(at, name, target)
}

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Is {
    /// The device that it is on.
    pub on: u64,
    /// Its inode number.
    pub inode: u64,
    /// Its type, as in `S_IFMT`.
    pub kind: u32,
    /// For a device, its number.
    pub number: (u32, u32),
}

impl Is {
    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.kind == u32::from(libc::S_IFDIR as u16)
    }

    /// Whether it is a socket.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        self.kind == u32::from(libc::S_IFSOCK as u16)
    }

    /// Whether it is a character device with this number.
    #[must_use]
    pub fn is_device(&self, number: (u32, u32)) -> bool {
        self.kind == u32::from(libc::S_IFCHR as u16) && self.number == number
    }
}

/// Which mount something is in, by a number that no other mount has as long as this one is there:
/// in a new mount namespace, whose mounts are copies, it is another.
///
/// # Errors
/// As statx(2).
///
/// # References
/// statx(2): `STATX_MNT_ID`
pub fn of(at: RawFd, path: &CStr) -> Result<u64, Errno> {
    system::of(at, path)
}

/// What a descriptor is open on.
///
/// # Errors
/// As fstat(2).
pub fn what_is(fd: RawFd) -> Result<Is, Errno> {
    system::what_is(fd)
}
