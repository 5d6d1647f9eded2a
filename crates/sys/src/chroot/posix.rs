//! FreeBSD and its kin: getcwd(3), a bare system call there.

use isol_core::Errno;

pub(super) fn working_directory_is_inside() -> Result<bool, Errno> {
    let mut path = [0_u8; 4096];
    // SAFETY: the buffer is writable and its length is given.
    let found = unsafe { libc::getcwd(path.as_mut_ptr().cast(), path.len()) };
    if found.is_null() { Err(crate::errno::last()) } else { Ok(path[0] == b'/') }
}

pub(super) fn may_change_root() -> bool {
    crate::ids::effective_uid() == 0
}
