//! Linux keeps them in the extended attribute `security.capability`.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use nix::errno::Errno;

pub(super) fn has_file_capabilities(file: BorrowedFd<'_>) -> nix::Result<bool> {
    let name = c"security.capability";
    // SAFETY: the name ends in NUL, and with size 0 the kernel writes nothing to the null buffer.
    let size = unsafe { libc::fgetxattr(file.as_raw_fd(), name.as_ptr(), ptr::null_mut(), 0) };
    match Errno::result(size) {
        Ok(_) => Ok(true),
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(false),
        Err(e) => Err(e),
    }
}
