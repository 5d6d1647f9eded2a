//! Linux keeps them in extended attributes.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

const CAPABILITY: &CStr = c"security.capability";

/// Linux 6.13; the same number on every architecture but alpha.
const SYS_GETXATTRAT: libc::c_long = 464;

static MISSING: AtomicBool = AtomicBool::new(false);

/// Longer than any (`struct vfs_ns_cap_data` has 24 bytes).
const MAX: usize = 64;

pub(super) fn has_file_capabilities(file: BorrowedFd<'_>) -> nix::Result<bool> {
    has(file, CAPABILITY)
}

pub(super) fn has_file_capabilities_at(dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<bool> {
    if !MISSING.load(Ordering::Relaxed) {
        match getxattrat(dir, name) {
            Err(Errno::ENOSYS | Errno::EPERM) => MISSING.store(true, Ordering::Relaxed),
            size => return answer(size),
        }
    }
    // For a file that may have been exchanged for a pipe or a terminal.
    let flags = OFlag::O_RDONLY
        | OFlag::O_NOFOLLOW
        | OFlag::O_NONBLOCK
        | OFlag::O_NOCTTY
        | OFlag::O_CLOEXEC;
    let file = openat(dir, name, flags, Mode::empty())?;
    has(std::os::fd::AsFd::as_fd(&file), CAPABILITY)
}

/// Of <linux/xattr.h>.
#[repr(C)]
struct XattrArgs {
    value: u64,
    size: u32,
    flags: u32,
}

fn getxattrat(dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<libc::c_long> {
    let args = XattrArgs { value: 0, size: 0, flags: 0 };
    let (dir, name, attribute) = (dir.as_raw_fd(), name.as_ptr(), CAPABILITY.as_ptr());
    let (flags, args, size) = (libc::AT_SYMLINK_NOFOLLOW, &raw const args, size_of::<XattrArgs>());
    // SAFETY: the names end in NUL; the structure is readable for the size that is given, and with a
    // buffer of size 0 in it the kernel writes nothing.
    let got = unsafe { libc::syscall(SYS_GETXATTRAT, dir, name, flags, attribute, args, size) };
    Errno::result(got)
}

pub(super) fn remove_file_capabilities(file: BorrowedFd<'_>) -> nix::Result<()> {
    // SAFETY: the name ends in NUL.
    let done = unsafe { libc::fremovexattr(file.as_raw_fd(), CAPABILITY.as_ptr()) };
    match Errno::result(done) {
        Ok(_) | Err(Errno::ENODATA) => Ok(()),
        Err(e) => Err(e),
    }
}

pub(super) fn has_default_access_list(dir: BorrowedFd<'_>) -> nix::Result<bool> {
    has(dir, c"system.posix_acl_default")
}

pub(super) fn has_access_list(file: BorrowedFd<'_>) -> nix::Result<bool> {
    has(file, c"system.posix_acl_access")
}

fn has(file: BorrowedFd<'_>, name: &CStr) -> nix::Result<bool> {
    // SAFETY: the name ends in NUL, and with size 0 the kernel writes nothing to the null buffer.
    let size = unsafe { libc::fgetxattr(file.as_raw_fd(), name.as_ptr(), ptr::null_mut(), 0) };
    answer(Errno::result(size as libc::c_long))
}

fn answer(size: nix::Result<libc::c_long>) -> nix::Result<bool> {
    match size {
        Ok(_) => Ok(true),
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(false),
        Err(e) => Err(e),
    }
}

pub(super) fn file_capabilities(file: BorrowedFd<'_>) -> nix::Result<Option<Vec<u8>>> {
    let mut value = vec![0_u8; MAX];
    // SAFETY: the name ends in NUL, and the kernel writes no more than MAX bytes to a buffer of that many.
    let size = unsafe {
        libc::fgetxattr(file.as_raw_fd(), CAPABILITY.as_ptr(), value.as_mut_ptr().cast(), MAX)
    };
    match Errno::result(size) {
        Ok(size) => {
            value.truncate(size as usize);
            Ok(Some(value))
        }
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(None),
        Err(e) => Err(e),
    }
}

pub(super) fn set_file_capabilities(file: BorrowedFd<'_>, value: &[u8]) -> nix::Result<()> {
    // SAFETY: the name ends in NUL, and the kernel reads no more than the value's length.
    let done = unsafe {
        libc::fsetxattr(
            file.as_raw_fd(),
            CAPABILITY.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    Errno::result(done).map(drop)
}
