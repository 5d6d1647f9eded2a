//! openat2(2), which can refuse to cross a mount point. Before 5.6, or where a filter denies it: statx(2) first.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::{DIRECTORY, Opened, open};
use crate::brief::Brief;

/// Neither reads nor wakes anything.
pub(super) const HANDLE: OFlag = OFlag::O_PATH;

static MISSING: AtomicBool = AtomicBool::new(false);

pub(super) fn directory(dir: BorrowedFd<'_>, name: &CStr, dev: u64) -> nix::Result<Opened> {
    if !MISSING.load(Ordering::Relaxed) {
        let resolve = libc::RESOLVE_NO_XDEV | libc::RESOLVE_NO_SYMLINKS;
        match openat2(dir, name, DIRECTORY, resolve) {
            Ok(fd) => {
                let brief = Brief::of(&fd)?;
                return Ok(Opened::Directory(fd, brief));
            }
            Err(Errno::EXDEV) => return Ok(Opened::Mount),
            Err(Errno::ENOSYS | Errno::EPERM) => MISSING.store(true, Ordering::Relaxed),
            Err(e) => return Err(e),
        }
    }
    let is_mount = |brief: Brief| brief.mounted.unwrap_or(brief.dev != dev);
    if is_mount(Brief::at(dir, name)?) {
        return Ok(Opened::Mount);
    }
    match open(dir, name)? {
        Opened::Directory(_, brief) if is_mount(brief) => Ok(Opened::Mount),
        opened => Ok(opened),
    }
}

pub(super) fn exists_inside(root: BorrowedFd<'_>, path: &CStr) -> nix::Result<Option<bool>> {
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    // A rename anywhere may make the kernel unsure of a `..`.
    for _ in 0..16 {
        match openat2(root, path, flags, libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_MAGICLINKS) {
            Ok(_) => return Ok(Some(true)),
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(Some(false)),
            Err(Errno::EAGAIN) => {}
            Err(Errno::ENOSYS | Errno::EPERM) => return Ok(None),
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

fn openat2(dir: BorrowedFd<'_>, name: &CStr, flags: OFlag, resolve: u64) -> nix::Result<OwnedFd> {
    // SAFETY: all-zero bytes are a valid `open_how`, which is plain integers.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = flags.bits() as u64;
    how.resolve = resolve;
    let (dir, name, size) = (dir.as_raw_fd(), name.as_ptr(), size_of::<libc::open_how>());
    // SAFETY: the name ends in NUL; the structure is readable for the size that is given.
    let fd = unsafe { libc::syscall(libc::SYS_openat2, dir, name, &raw const how, size) };
    let fd = Errno::result(fd)? as RawFd;
    // SAFETY: the call has succeeded, so the descriptor is open, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
