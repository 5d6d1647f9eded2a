//! A descriptor that is a mere path can't be given to fchmod(2). fchmodat2(2) is of Linux 6.6; before, the way is
//! through /proc.

use std::ffi::CString;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::unistd::{Uid, fchownat};

use crate::brief::Brief;
use crate::listing::Kind;

/// The same on every architecture but alpha.
const SYS_FCHMODAT2: libc::c_long = 452;

pub(super) fn set_mode(file: BorrowedFd<'_>, mode: u32) -> nix::Result<()> {
    // Through /proc it would be what the link leads to.
    if Brief::of(file)?.kind() == Kind::Symlink {
        return Err(Errno::EOPNOTSUPP);
    }
    let (fd, empty) = (file.as_raw_fd(), c"".as_ptr());
    // SAFETY: the empty name ends in NUL; the rest are numbers.
    let done = unsafe { libc::syscall(SYS_FCHMODAT2, fd, empty, mode, libc::AT_EMPTY_PATH) };
    match Errno::result(done) {
        Ok(_) => Ok(()),
        Err(Errno::ENOSYS | Errno::EPERM) => through_proc(fd, mode),
        Err(e) => Err(e),
    }
}

fn through_proc(fd: i32, mode: u32) -> nix::Result<()> {
    let path = CString::new(format!("/proc/self/fd/{fd}")).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the path ends in NUL.
    Errno::result(unsafe { libc::chmod(path.as_ptr(), mode) }).map(drop)
}

pub(super) fn set_owner(file: BorrowedFd<'_>, uid: u32) -> nix::Result<()> {
    fchownat(file, c"", Some(Uid::from_raw(uid)), None, AtFlags::AT_EMPTY_PATH)
}
