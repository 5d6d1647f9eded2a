//! macOS: no setresuid(2); setuid(2) of root sets all three ids. setgroups(2) of an
//! empty list installs `{0}`, so that the gid always stands first.

use isol_core::{Errno, Gid, ThreadScope};

use crate::errno::check;

pub(super) const GID_STANDS_FIRST: bool = true;

pub(super) fn set_groups(groups: &[Gid], _scope: ThreadScope) -> Result<(), Errno> {
    let (len, first) = (groups.len() as libc::c_int, groups.as_ptr().cast());
    // SAFETY: `first` points at `len` gids: `Gid` is a transparent u32.
    check(unsafe { libc::setgroups(len, first) }).map(drop)
}

pub(super) fn set_gid(gid: u32, _scope: ThreadScope) -> Result<(), Errno> {
    // SAFETY: takes a number.
    check(unsafe { libc::setgid(gid) }).map(drop)
}

pub(super) fn set_uid(uid: u32, _scope: ThreadScope) -> Result<(), Errno> {
    // SAFETY: takes a number.
    check(unsafe { libc::setuid(uid) }).map(drop)
}

// The saved ids can't be read; the tries below are what shows that they are gone.

pub(super) fn uids() -> [u32; 3] {
    // SAFETY: no arguments, cannot fail.
    let real = unsafe { libc::getuid() };
    // SAFETY: no arguments, cannot fail.
    let effective = unsafe { libc::geteuid() };
    [real, effective, effective]
}

pub(super) fn gids() -> [u32; 3] {
    // SAFETY: no arguments, cannot fail.
    let real = unsafe { libc::getgid() };
    // SAFETY: no arguments, cannot fail.
    let effective = unsafe { libc::getegid() };
    [real, effective, effective]
}

pub(super) fn try_root_uid() -> bool {
    // SAFETY: takes a number.
    let whole = unsafe { libc::setuid(0) } == 0;
    // SAFETY: takes a number.
    let effective = unsafe { libc::seteuid(0) } == 0;
    whole || effective
}

pub(super) fn try_root_gid() -> bool {
    // SAFETY: takes a number.
    let whole = unsafe { libc::setgid(0) } == 0;
    // SAFETY: takes a number.
    let effective = unsafe { libc::setegid(0) } == 0;
    whole || effective
}
