//! Linux keeps them in the extended attribute `security.capability`.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use nix::errno::Errno;

const NAME: &CStr = c"security.capability";
/// Longer than any (`struct vfs_ns_cap_data` has 24 bytes).
const MAX: usize = 64;

pub(super) fn has_file_capabilities(file: BorrowedFd<'_>) -> nix::Result<bool> {
    // SAFETY: the name ends in NUL, and with size 0 the kernel writes nothing to the null buffer.
    let size = unsafe { libc::fgetxattr(file.as_raw_fd(), NAME.as_ptr(), ptr::null_mut(), 0) };
    match Errno::result(size) {
        Ok(_) => Ok(true),
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(false),
        Err(e) => Err(e),
    }
}

pub(super) fn file_capabilities(file: BorrowedFd<'_>) -> nix::Result<Option<Vec<u8>>> {
    let mut value = vec![0_u8; MAX];
    // SAFETY: the name ends in NUL, and the kernel writes no more than MAX bytes to a buffer of that many.
    let size =
        unsafe { libc::fgetxattr(file.as_raw_fd(), NAME.as_ptr(), value.as_mut_ptr().cast(), MAX) };
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
        libc::fsetxattr(file.as_raw_fd(), NAME.as_ptr(), value.as_ptr().cast(), value.len(), 0)
    };
    Errno::result(done).map(drop)
}
