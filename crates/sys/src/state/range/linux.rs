//! Linux: a lock of one byte that belongs to the open file, as flock(2)'s do, and not to the process.

use std::os::fd::BorrowedFd;

use nix::fcntl::{FcntlArg, fcntl};

pub(super) fn try_lock(file: BorrowedFd<'_>, byte: u32) -> nix::Result<()> {
    let lock = range(libc::F_WRLCK, byte.into(), 1);
    fcntl(file, FcntlArg::F_OFD_SETLK(&lock)).map(drop)
}

pub(super) fn unlock(file: BorrowedFd<'_>) {
    // The file is closed next, which does the same.
    let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&range(libc::F_UNLCK, 0, 0)));
}

fn range(kind: libc::c_int, start: i64, len: i64) -> libc::flock {
    // SAFETY: all-zero bytes are a valid `flock`, which is plain integers.
    let mut range: libc::flock = unsafe { std::mem::zeroed() };
    range.l_type = kind as libc::c_short;
    range.l_whence = libc::SEEK_SET as libc::c_short;
    (range.l_start, range.l_len) = (start, len);
    range
}
