//! macOS: what the kernel tells of the task.

use std::io;

pub(super) fn others() -> io::Result<usize> {
    // SAFETY: all-zero bytes are a valid `proc_taskinfo`, which is plain integers.
    let mut info: libc::proc_taskinfo = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::proc_taskinfo>() as libc::c_int;
    // SAFETY: no arguments, cannot fail.
    let pid = unsafe { libc::getpid() };
    let to = (&raw mut info).cast();
    // SAFETY: the structure is writable for the size that is given.
    if unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTASKINFO, 0, to, size) } < size {
        return Err(io::Error::last_os_error());
    }
    Ok((info.pti_threadnum as usize).saturating_sub(1))
}
