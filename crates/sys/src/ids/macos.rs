//! macOS: no setresuid(2); setuid(2) of root sets all three ids. The first of the groups
//! is the effective gid, and setgroups(2) of an empty list makes that 0, so that the gid
//! always stands first. setgroups(2) and not initgroups(3): behind the latter the kernel
//! would ask a directory service for further groups. getgroups(2) here is the one that
//! reads the kernel's list; what C programs get by `_DARWIN_C_SOURCE` is another.

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

/// What the kernel tells of this process: the only way to the saved ids. proc_pidinfo is a
/// bare system call. Ids that can't be read are nobody's: 4294967295.
fn own() -> libc::proc_bsdinfo {
    // SAFETY: all-zero bytes are a valid `proc_bsdinfo`, which is plain integers.
    let mut info: libc::proc_bsdinfo = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::proc_bsdinfo>() as libc::c_int;
    // SAFETY: no arguments, cannot fail.
    let pid = unsafe { libc::getpid() };
    let to = (&raw mut info).cast();
    // SAFETY: the structure is writable for the size that is given.
    if unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, to, size) } != size {
        (info.pbi_svuid, info.pbi_svgid) = (u32::MAX, u32::MAX);
    }
    info
}

pub(super) fn uids() -> [u32; 3] {
    // SAFETY: no arguments, cannot fail.
    let real = unsafe { libc::getuid() };
    // SAFETY: no arguments, cannot fail.
    let effective = unsafe { libc::geteuid() };
    [real, effective, own().pbi_svuid]
}

pub(super) fn gids() -> [u32; 3] {
    // SAFETY: no arguments, cannot fail.
    let real = unsafe { libc::getgid() };
    // SAFETY: no arguments, cannot fail.
    let effective = unsafe { libc::getegid() };
    [real, effective, own().pbi_svgid]
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
