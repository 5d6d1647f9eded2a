//! macOS: no close_range(2) and no closefrom(2). The kernel tells how large the process's
//! table of descriptors is; every number in it is closed. Unlike a look into /dev/fd that
//! takes no allocation, and works behind the change of the root.

use std::os::fd::RawFd;

use isol_core::Errno;

pub(super) fn close_between(first: RawFd, last: RawFd) -> Result<(), Errno> {
    for fd in first..=last.min(table_size()? - 1) {
        // SAFETY: nothing in this process relies on the descriptor: it is about to become
        // another program, or has named those that it keeps. A number that is not open is
        // refused with EBADF.
        unsafe { libc::close(fd) };
    }
    Ok(())
}

/// More than the highest descriptor. Async-signal-safe: proc_pidinfo is a bare system call,
/// and without a buffer it counts the cells of the table, open or not, and some more.
fn table_size() -> Result<RawFd, Errno> {
    // SAFETY: no arguments, cannot fail.
    let pid = unsafe { libc::getpid() };
    // SAFETY: without a buffer nothing is written.
    let size =
        unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDLISTFDS, 0, std::ptr::null_mut(), 0) };
    // It returns 0 for an error.
    if size <= 0 {
        return Err(crate::errno::last());
    }
    Ok(size / size_of::<libc::proc_fdinfo>() as RawFd)
}

/// No child shares its parent's table here.
pub(super) fn part_from_parent(_last: RawFd) -> Result<(), Errno> {
    Ok(())
}

pub(super) fn none_is_open_from(first: RawFd) -> Result<bool, Errno> {
    table_size().map(|size| first >= size)
}
