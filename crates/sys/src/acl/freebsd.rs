//! FreeBSD: lists of NFSv4's kind are beside the mode. Those of POSIX.1e are bounded by their mask, which the group's
//! bits show.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

use super::nfs4::List;

pub(super) const BESIDE_THE_MODE: bool = true;
pub(super) const REMOVE: &str = "setfacl -b";

/// `__acl_get_fd`, of the kernel's syscalls.master; acl_get_fd_np(3) makes it, and allocates.
const ACL_GET_FD: libc::c_int = 349;
/// `ACL_TYPE_NFS4` of <sys/acl.h>.
const NFS4: libc::c_int = 4;

pub(super) fn allows_beside_the_mode(file: BorrowedFd<'_>) -> nix::Result<bool> {
    if !has_lists(file)? {
        return Ok(false);
    }
    let mut list = List::new();
    let to = (&raw mut list).cast::<libc::c_void>();
    // SAFETY: the descriptor is open; the structure is the kernel's own, writable for the call, and says how many
    // entries it has room for.
    Errno::result(unsafe { libc::syscall(ACL_GET_FD, file.as_raw_fd(), NFS4, to) })?;
    Ok(list.lets_others_change())
}

/// Whether the file system of a file has such lists.
fn has_lists(file: BorrowedFd<'_>) -> nix::Result<bool> {
    Errno::clear();
    // SAFETY: takes two numbers; the descriptor is open.
    match unsafe { libc::fpathconf(file.as_raw_fd(), libc::_PC_ACL_NFS4) } {
        -1 => match Errno::last() {
            // No such thing here; the latter from file systems that don't know the question.
            Errno::UnknownErrno | Errno::EINVAL => Ok(false),
            errno => Err(errno),
        },
        has => Ok(has != 0),
    }
}
