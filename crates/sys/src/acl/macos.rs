//! macOS: extended lists, which are no part of the mode. Many files have one that only
//! denies (`everyone deny delete`): that is harmless.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use libc::{c_int, c_uint, c_void};
use nix::errno::Errno;

// Of <sys/acl.h>.
const ACL_TYPE_EXTENDED: c_uint = 0x100;
const ACL_FIRST_ENTRY: c_int = 0;
const ACL_NEXT_ENTRY: c_int = -1;
const ACL_EXTENDED_DENY: c_uint = 2;

// SAFETY: as <sys/acl.h> declares them; its types are opaque pointers and enumerations.
unsafe extern "C" {
    fn acl_get_fd_np(fd: c_int, kind: c_uint) -> *mut c_void;
    fn acl_get_entry(list: *mut c_void, which: c_int, entry: *mut *mut c_void) -> c_int;
    fn acl_get_tag_type(entry: *mut c_void, tag: *mut c_uint) -> c_int;
    fn acl_free(list: *mut c_void) -> c_int;
}

pub(super) const BESIDE_THE_MODE: bool = true;
pub(super) const REMOVE: &str = "chmod -N";

/// A list, which is freed with this.
struct List(*mut c_void);

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: got from acl_get_fd_np, and freed once.
        unsafe { acl_free(self.0) };
    }
}

impl List {
    /// The tag of an entry; `None` behind the last one.
    fn tag(&self, which: c_int) -> nix::Result<Option<c_uint>> {
        let (mut entry, mut tag) = (ptr::null_mut(), 0);
        // SAFETY: the list is alive, and the entry is writable for the call.
        if unsafe { acl_get_entry(self.0, which, &mut entry) } == -1 {
            return match Errno::last() {
                Errno::EINVAL => Ok(None),
                errno => Err(errno),
            };
        }
        // SAFETY: the entry is one of the list's, which is alive; the tag is writable.
        Errno::result(unsafe { acl_get_tag_type(entry, &mut tag) })?;
        Ok(Some(tag))
    }
}

pub(super) fn allows_beside_the_mode(file: BorrowedFd<'_>) -> nix::Result<bool> {
    // SAFETY: takes two numbers; the descriptor is open.
    let list = unsafe { acl_get_fd_np(file.as_raw_fd(), ACL_TYPE_EXTENDED) };
    if list.is_null() {
        return match Errno::last() {
            // No list, or a file system that has none.
            Errno::ENOENT | Errno::ENOTSUP | Errno::EOPNOTSUPP => Ok(false),
            errno => Err(errno),
        };
    }
    let list = List(list);
    let mut which = ACL_FIRST_ENTRY;
    while let Some(tag) = list.tag(which)? {
        if tag != ACL_EXTENDED_DENY {
            return Ok(true);
        }
        which = ACL_NEXT_ENTRY;
    }
    Ok(false)
}
