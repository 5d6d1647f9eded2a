//! Linux: the raw getcwd(2), which needs no library and no permission on the way up.

use isol_core::Errno;

use crate::errno::check_long;

pub(super) fn working_directory_is_inside() -> Result<bool, Errno> {
    let mut path = [0_u8; 4096];
    // SAFETY: the buffer is writable and its length is given.
    let len = unsafe { libc::syscall(libc::SYS_getcwd, path.as_mut_ptr(), path.len()) };
    check_long(len)?;
    Ok(path[0] == b'/')
}

pub(super) fn may_change_root() -> bool {
    crate::privileges::may_give_up_privileges()
}
