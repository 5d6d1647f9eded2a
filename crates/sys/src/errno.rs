//! From what a system call returns to a result.

use isol_core::Errno;

/// The calling thread's errno.
#[must_use]
pub fn last() -> Errno {
    Errno(nix::errno::Errno::last_raw())
}

/// The errno for 'this system has no such call'.
pub const NOT_HERE: Errno = Errno(libc::ENOSYS);

/// The errno for 'no such descriptor'.
pub const BAD_DESCRIPTOR: Errno = Errno(libc::EBADF);

/// The errno for 'no such file'.
pub const NO_ENTRY: Errno = Errno(libc::ENOENT);

/// The errno for 'not permitted'.
pub const NOT_PERMITTED: Errno = Errno(libc::EPERM);

/// The errno for 'access denied'.
pub const ACCESS: Errno = Errno(libc::EACCES);

/// The errno for 'no such device'.
pub const NO_DEVICE: Errno = Errno(libc::ENODEV);

/// The errno for 'the name is too long'.
pub const NAME_TOO_LONG: Errno = Errno(libc::ENAMETOOLONG);

/// The errno for 'the address is taken'.
pub const ADDRESS_IN_USE: Errno = Errno(libc::EADDRINUSE);

/// The errno for 'the message is too long'.
pub const MESSAGE_TOO_LONG: Errno = Errno(libc::EMSGSIZE);

/// The errno for 'no more than there are', of what the kernel counts, and for a file system that is full.
pub const NO_SPACE: Errno = Errno(libc::ENOSPC);

/// The errno for 'there is one already'.
pub const EXISTS: Errno = Errno(libc::EEXIST);

/// The errno for 'a symbolic link where none is followed', and for too many of them.
pub const LOOP: Errno = Errno(libc::ELOOP);

pub(crate) fn check(ret: libc::c_int) -> Result<libc::c_int, Errno> {
    if ret == -1 { Err(last()) } else { Ok(ret) }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn check_long(ret: libc::c_long) -> Result<libc::c_long, Errno> {
    if ret == -1 { Err(last()) } else { Ok(ret) }
}

/// From nix's errno to the one that isol speaks of.
#[must_use]
pub fn from_nix(errno: nix::errno::Errno) -> Errno {
    Errno(errno as i32)
}
