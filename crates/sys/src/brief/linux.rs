//! statx(2): of a network file system what is in memory already, and mount points without a look at their devices.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

use super::Brief;

const FIELDS: libc::c_uint = libc::STATX_TYPE
    | libc::STATX_MODE
    | libc::STATX_NLINK
    | libc::STATX_UID
    | libc::STATX_GID
    | libc::STATX_INO;
const FLAGS: libc::c_int =
    libc::AT_SYMLINK_NOFOLLOW | libc::AT_NO_AUTOMOUNT | libc::AT_STATX_DONT_SYNC;
const MOUNT_ROOT: u64 = libc::STATX_ATTR_MOUNT_ROOT as u64;

pub(super) fn at(dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<Brief> {
    ask(dir, name, FLAGS)
}

pub(super) fn behind(dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<Brief> {
    ask(dir, name, libc::AT_NO_AUTOMOUNT | libc::AT_STATX_DONT_SYNC)
}

pub(super) fn of(file: BorrowedFd<'_>) -> nix::Result<Brief> {
    ask(file, c"", FLAGS | libc::AT_EMPTY_PATH)
}

fn ask(dir: BorrowedFd<'_>, name: &CStr, flags: libc::c_int) -> nix::Result<Brief> {
    let mut found = MaybeUninit::<libc::statx>::uninit();
    let (dir, name, to) = (dir.as_raw_fd(), name.as_ptr(), found.as_mut_ptr());
    // SAFETY: the name ends in NUL, and the structure is writable for the call. By number, because not
    // every C library has it.
    let got = unsafe { libc::syscall(libc::SYS_statx, dir, name, flags, FIELDS, to) };
    Errno::result(got)?;
    // SAFETY: the call has succeeded, so the kernel has written all of it.
    let found = unsafe { found.assume_init() };
    let told = found.stx_attributes_mask & MOUNT_ROOT != 0;
    Ok(Brief {
        dev: libc::makedev(found.stx_dev_major, found.stx_dev_minor),
        ino: found.stx_ino,
        mode: u32::from(found.stx_mode),
        nlink: u64::from(found.stx_nlink),
        uid: found.stx_uid,
        gid: found.stx_gid,
        rdev: libc::makedev(found.stx_rdev_major, found.stx_rdev_minor),
        mounted: told.then_some(found.stx_attributes & MOUNT_ROOT != 0),
    })
}
