//! Capabilities and what else is beside the ids.

use isol_core::Errno;
use libc::{c_int, c_ulong};

use crate::attempts::Capabilities;
use crate::errno::{check, check_long};

fn prctl(option: c_int, argument: c_ulong, second: c_ulong) -> Result<c_int, Errno> {
    let none: c_ulong = 0;
    // SAFETY: every option used in this file takes numbers only.
    check(unsafe { libc::prctl(option, argument, second, none, none) })
}

#[repr(C)]
struct Header {
    version: u32,
    pid: c_int,
}

/// Effective, permitted, inheritable; the lower halves first.
type Halves = [[u32; 3]; 2];

const HEADER: Header = Header { version: 0x2008_0522, pid: 0 };

/// The five sets.
///
/// # Errors
/// As capget(2) and prctl(2).
pub fn capabilities() -> Result<Capabilities, Errno> {
    let mut halves: Halves = [[0; 3]; 2];
    // SAFETY: the header is readable and both halves are writable for the call.
    check_long(unsafe { libc::syscall(libc::SYS_capget, &HEADER, halves.as_mut_ptr()) })?;
    let whole = |set: usize| u64::from(halves[0][set]) | u64::from(halves[1][set]) << 32;
    let mut found = Capabilities {
        effective: whole(0),
        permitted: whole(1),
        inheritable: whole(2),
        ..Capabilities::default()
    };
    for capability in 0..64 {
        let is_set = libc::PR_CAP_AMBIENT_IS_SET as c_ulong;
        match prctl(libc::PR_CAPBSET_READ, capability, 0) {
            Ok(bounding) => found.bounding |= (bounding as u64) << capability,
            // Behind the last one that this kernel knows.
            Err(_) => break,
        }
        let ambient = prctl(libc::PR_CAP_AMBIENT, is_set, capability)?;
        found.ambient |= (ambient as u64) << capability;
    }
    Ok(found)
}

/// Sets three of them.
///
/// # Errors
/// As capset(2).
pub fn set_capabilities(effective: u64, permitted: u64, inheritable: u64) -> Result<(), Errno> {
    let half = |shift: u32| [effective, permitted, inheritable].map(|set| (set >> shift) as u32);
    let halves: Halves = [half(0), half(32)];
    // SAFETY: the header and both halves are readable for the call.
    check_long(unsafe { libc::syscall(libc::SYS_capset, &HEADER, halves.as_ptr()) }).map(drop)
}

/// Raises a capability in the ambient set.
///
/// # Errors
/// As prctl(2).
pub fn raise_ambient(capability: u32) -> Result<(), Errno> {
    let raise = libc::PR_CAP_AMBIENT_RAISE as c_ulong;
    prctl(libc::PR_CAP_AMBIENT, raise, c_ulong::from(capability)).map(drop)
}

/// The securebits.
///
/// # Errors
/// As prctl(2).
pub fn securebits() -> Result<i32, Errno> {
    prctl(libc::PR_GET_SECUREBITS, 0, 0)
}

/// Sets the securebits.
///
/// # Errors
/// As prctl(2).
pub fn set_securebits(bits: i32) -> Result<(), Errno> {
    prctl(libc::PR_SET_SECUREBITS, bits as c_ulong, 0).map(drop)
}

/// Keeps the permitted set over a change of the uid.
///
/// # Errors
/// As prctl(2).
pub fn keep_capabilities() -> Result<(), Errno> {
    prctl(libc::PR_SET_KEEPCAPS, 1, 0).map(drop)
}

/// Lets whoever has the same ids trace this process, though its ids have changed.
///
/// # Errors
/// As prctl(2).
pub fn be_traceable() -> Result<(), Errno> {
    prctl(libc::PR_SET_DUMPABLE, 1, 0).map(drop)
}

/// Becomes the parent of what this process's children leave behind.
///
/// # Errors
/// As prctl(2).
///
/// # References
/// PR_SET_CHILD_SUBREAPER(2const)
pub fn adopt_orphans() -> Result<(), Errno> {
    prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0).map(drop)
}

/// Sets the file-system uid; the one before.
///
/// # Errors
/// Never: setfsuid(2) reports none.
pub fn setfsuid(uid: u32) -> Result<u32, Errno> {
    // SAFETY: takes a number.
    Ok(unsafe { libc::setfsuid(uid) } as u32)
}

/// Sets the file-system gid; the one before.
///
/// # Errors
/// Never: setfsgid(2) reports none.
pub fn setfsgid(gid: u32) -> Result<u32, Errno> {
    // SAFETY: takes a number.
    Ok(unsafe { libc::setfsgid(gid) } as u32)
}
