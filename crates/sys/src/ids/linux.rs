//! Linux: raw system calls for one thread, glibc's for all of them.

use isol_core::{Errno, Gid, ThreadScope};
use libc::{c_long, gid_t, syscall, uid_t};

use crate::errno::{check, check_long};

pub(super) const GID_STANDS_FIRST: bool = false;

// The numbers without a suffix are the 16-bit calls on these two.
#[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
use libc::{SYS_setgroups as SETGROUPS, SYS_setresgid as SETRESGID, SYS_setresuid as SETRESUID};
#[cfg(any(target_arch = "x86", target_arch = "arm"))]
use libc::{
    SYS_setgroups32 as SETGROUPS, SYS_setresgid32 as SETRESGID, SYS_setresuid32 as SETRESUID,
};

pub(super) fn set_groups(groups: &[Gid], scope: ThreadScope) -> Result<(), Errno> {
    let (len, first) = (groups.len(), groups.as_ptr().cast::<gid_t>());
    match scope {
        // SAFETY: `first` points at `len` gids: `Gid` is a transparent u32.
        ThreadScope::Alone => check_long(unsafe { syscall(SETGROUPS, len, first) }).map(drop),
        // SAFETY: as above.
        ThreadScope::Every => check(unsafe { libc::setgroups(len, first) }).map(drop),
    }
}

pub(super) fn set_gid(gid: gid_t, scope: ThreadScope) -> Result<(), Errno> {
    match scope {
        ThreadScope::Alone => set(SETRESGID, [gid; 3]),
        // SAFETY: takes three numbers.
        ThreadScope::Every => check(unsafe { libc::setresgid(gid, gid, gid) }).map(drop),
    }
}

pub(super) fn set_uid(uid: uid_t, scope: ThreadScope) -> Result<(), Errno> {
    match scope {
        ThreadScope::Alone => set(SETRESUID, [uid; 3]),
        // SAFETY: takes three numbers.
        ThreadScope::Every => check(unsafe { libc::setresuid(uid, uid, uid) }).map(drop),
    }
}

fn set(number: c_long, ids: [u32; 3]) -> Result<(), Errno> {
    // SAFETY: setresuid and setresgid take three numbers and touch no memory.
    check_long(unsafe { syscall(number, ids[0], ids[1], ids[2]) }).map(drop)
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
    // Each of the three alone: an unprivileged process may set one to another's value.
    [[0, KEEP, KEEP], [KEEP, 0, KEEP], [KEEP, KEEP, 0]]
        .iter()
        .any(|&ids| set(SETRESUID, ids).is_ok())
}

pub(super) fn try_root_gid() -> bool {
    [[0, KEEP, KEEP], [KEEP, 0, KEEP], [KEEP, KEEP, 0]]
        .iter()
        .any(|&ids| set(SETRESGID, ids).is_ok())
}
