//! FreeBSD and its kin: setresuid(2), and a setgroups(2) whose first element may be
//! the effective gid.

use isol_core::{Errno, Gid, ThreadScope};

use crate::errno::check;

pub(super) const GID_STANDS_FIRST: bool = true;

pub(super) fn set_groups(groups: &[Gid], _scope: ThreadScope) -> Result<(), Errno> {
    let (len, first) = (groups.len() as libc::c_int, groups.as_ptr().cast());
    // SAFETY: `first` points at `len` gids: `Gid` is a transparent u32.
    check(unsafe { libc::setgroups(len, first) }).map(drop)
}

pub(super) fn set_gid(gid: u32, _scope: ThreadScope) -> Result<(), Errno> {
    // SAFETY: takes three numbers.
    check(unsafe { libc::setresgid(gid, gid, gid) }).map(drop)
}

pub(super) fn set_uid(uid: u32, _scope: ThreadScope) -> Result<(), Errno> {
    // SAFETY: takes three numbers.
    check(unsafe { libc::setresuid(uid, uid, uid) }).map(drop)
}

pub(super) fn uids() -> [u32; 3] {
    let mut ids = [0; 3];
    let [real, effective, saved] = &mut ids;
    // SAFETY: three writable numbers; the call can't fail with them.
    unsafe { libc::getresuid(real, effective, saved) };
    ids
}

pub(super) fn gids() -> [u32; 3] {
    let mut ids = [0; 3];
    let [real, effective, saved] = &mut ids;
    // SAFETY: three writable numbers; the call can't fail with them.
    unsafe { libc::getresgid(real, effective, saved) };
    ids
}

const KEEP: u32 = u32::MAX;

pub(super) fn try_root_uid() -> bool {
    [[0, KEEP, KEEP], [KEEP, 0, KEEP], [KEEP, KEEP, 0]].iter().any(|&[real, effective, saved]| {
        // SAFETY: takes three numbers.
        unsafe { libc::setresuid(real, effective, saved) == 0 }
    })
}

pub(super) fn try_root_gid() -> bool {
    [[0, KEEP, KEEP], [KEEP, 0, KEEP], [KEEP, KEEP, 0]].iter().any(|&[real, effective, saved]| {
        // SAFETY: takes three numbers.
        unsafe { libc::setresgid(real, effective, saved) == 0 }
    })
}
