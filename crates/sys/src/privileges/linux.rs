//! Linux's privileges beside the ids. Every function here is async-signal-safe.

use isol_core::Errno;
use libc::{c_int, c_ulong};

use crate::errno::{check, check_long};

fn prctl(option: c_int, argument: c_ulong, second: c_ulong) -> Result<c_int, Errno> {
    let none: c_ulong = 0;
    // SAFETY: every option used in this file takes numbers only.
    check(unsafe { libc::prctl(option, argument, second, none, none) })
}

/// The highest capability number that any kernel could know: the sets have 64 bits.
const CAPABILITIES: c_ulong = 64;

/// Takes every capability but these out of the bounding set.
///
/// # Errors
/// `EPERM` without `CAP_SETPCAP`.
///
/// # References
/// PR_CAPBSET_DROP(2const), capabilities(7)
pub fn limit_bounding_set(keep: u64) -> Result<(), Errno> {
    for capability in (0..CAPABILITIES).filter(|c| keep >> c & 1 == 0) {
        match prctl(libc::PR_CAPBSET_DROP, capability, 0) {
            Ok(_) => {}
            // Behind the last one that this kernel knows.
            Err(Errno(libc::EINVAL)) if capability > 0 => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Whether the bounding set has these and no others.
///
/// # Errors
/// As prctl(2).
pub fn bounding_set_is(keep: u64) -> Result<bool, Errno> {
    for capability in 0..CAPABILITIES {
        let wanted = (keep >> capability & 1) as c_int;
        match prctl(libc::PR_CAPBSET_READ, capability, 0) {
            Ok(found) if found == wanted => {}
            Ok(_) => return Ok(false),
            Err(Errno(libc::EINVAL)) if capability > 0 => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(true)
}

#[repr(C)]
struct Header {
    version: u32,
    pid: c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const VERSION_3: u32 = 0x2008_0522;

/// Empties the ambient, inheritable, permitted and effective sets.
///
/// # Errors
/// As capset(2).
pub fn empty_capabilities() -> Result<(), Errno> {
    set_capabilities(0)
}

/// Empties the ambient and inheritable sets, and makes these the permitted and effective ones.
///
/// # Errors
/// As capset(2).
///
/// # References
/// capset(2), PR_CAP_AMBIENT(2const)
pub fn set_capabilities(keep: u64) -> Result<(), Errno> {
    match prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as c_ulong, 0) {
        // EINVAL: a kernel before 4.3, which has no ambient set.
        Ok(_) | Err(Errno(libc::EINVAL)) => {}
        Err(errno) => return Err(errno),
    }
    let header = Header { version: VERSION_3, pid: 0 };
    let halves = halves(keep);
    // SAFETY: the header and both halves are readable for the call, as version 3 wants.
    check_long(unsafe { libc::syscall(libc::SYS_capset, &header, halves.as_ptr()) }).map(drop)
}

fn halves(keep: u64) -> [Half; 2] {
    [keep as u32, (keep >> 32) as u32].map(|part| Half {
        effective: part,
        permitted: part,
        inheritable: 0,
    })
}

/// Whether those four sets are empty.
///
/// # Errors
/// As capget(2).
pub fn capabilities_are_empty() -> Result<bool, Errno> {
    capabilities_are(0)
}

/// Whether [`set_capabilities`] is in force.
///
/// # Errors
/// As capget(2) and prctl(2).
///
/// # References
/// capget(2)
pub fn capabilities_are(keep: u64) -> Result<bool, Errno> {
    let header = Header { version: VERSION_3, pid: 0 };
    let mut found = [Half { effective: 1, ..Half::default() }; 2];
    // SAFETY: the header is readable and both halves are writable for the call.
    check_long(unsafe { libc::syscall(libc::SYS_capget, &header, found.as_mut_ptr()) })?;
    // An ambient capability is always an inheritable one too.
    Ok(found == halves(keep))
}

/// Whether the effective set has what giving up everything takes: `CAP_SETGID`,
/// `CAP_SETUID`, `CAP_SETPCAP` and `CAP_SYS_CHROOT`.
#[must_use]
pub fn may_give_up_privileges() -> bool {
    has_effective(1 << 6 | 1 << 7 | 1 << 8 | 1 << 18)
}

/// Whether the effective set has `CAP_SYS_ADMIN`.
#[must_use]
pub fn may_administer() -> bool {
    has_effective(1 << 21)
}

/// Of the lower half of the capabilities.
fn has_effective(needed: u32) -> bool {
    let header = Header { version: VERSION_3, pid: 0 };
    let mut found = [Half::default(); 2];
    // SAFETY: the header is readable and both halves are writable for the call.
    let got = unsafe { libc::syscall(libc::SYS_capget, &header, found.as_mut_ptr()) };
    got == 0 && found[0].effective & needed == needed
}

const NOROOT: c_int = 1;
const NO_SETUID_FIXUP: c_int = 1 << 2;
const KEEP_CAPS: c_int = 1 << 4;
const NO_CAP_AMBIENT_RAISE: c_int = 1 << 6;
const ALL_LOCKED: c_int = 0b1010_1010;

/// Makes uid 0 mean nothing to capabilities (`SECBIT_NOROOT`), unless it is to stay root, forbids ambient ones,
/// and locks all of it. What a caller has locked already stays as it is.
///
/// # Errors
/// `EPERM` without `CAP_SETPCAP`.
///
/// # References
/// PR_SET_SECUREBITS(2const), capabilities(7)
pub fn lock_securebits(stays_root: bool) -> Result<(), Errno> {
    let found = prctl(libc::PR_GET_SECUREBITS, 0, 0)?;
    let locked_by_caller = |bit: c_int| found & (bit << 1) != 0;
    let mut wanted = (found & !0xff) | ALL_LOCKED;
    let (on, off): (&[c_int], &[c_int]) = match stays_root {
        false => (&[NOROOT, NO_CAP_AMBIENT_RAISE], &[NO_SETUID_FIXUP, KEEP_CAPS]),
        true => (&[NO_CAP_AMBIENT_RAISE], &[NOROOT, NO_SETUID_FIXUP, KEEP_CAPS]),
    };
    for &bit in on {
        wanted |= if locked_by_caller(bit) { found & bit } else { bit };
    }
    for &bit in off {
        wanted |= if locked_by_caller(bit) { found & bit } else { 0 };
    }
    prctl(libc::PR_SET_SECUREBITS, wanted as c_ulong, 0).map(drop)
}

/// Whether [`lock_securebits`] is in force.
///
/// # Errors
/// As prctl(2).
pub fn securebits_are_locked(stays_root: bool) -> Result<bool, Errno> {
    let wanted = NO_CAP_AMBIENT_RAISE | ALL_LOCKED | if stays_root { 0 } else { NOROOT };
    Ok(prctl(libc::PR_GET_SECUREBITS, 0, 0)? & wanted == wanted)
}

/// Has execve(2) grant nothing, for this process and all that come of it.
///
/// # Errors
/// As prctl(2).
///
/// # References
/// PR_SET_NO_NEW_PRIVS(2const)
pub fn set_no_new_privileges() -> Result<(), Errno> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0).map(drop)
}

/// Whether that is so.
///
/// # Errors
/// As prctl(2).
pub fn has_no_new_privileges() -> Result<bool, Errno> {
    Ok(prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0)? == 1)
}

/// Sets the signal that is sent when the thread that made this process ends; 0 for none.
///
/// # Errors
/// As prctl(2).
///
/// # References
/// PR_SET_PDEATHSIG(2const): a change of the uid clears it
pub fn set_parent_death_signal(signal: c_int) -> Result<(), Errno> {
    prctl(libc::PR_SET_PDEATHSIG, signal as c_ulong, 0).map(drop)
}

/// The parent-death signal; 0 for none.
///
/// # Errors
/// As prctl(2).
pub fn parent_death_signal() -> Result<c_int, Errno> {
    let mut signal: c_int = -1;
    // SAFETY: PR_GET_PDEATHSIG writes one int.
    check(unsafe { libc::prctl(libc::PR_GET_PDEATHSIG, &mut signal) })?;
    Ok(signal)
}

/// Leaves the caller's session keyring for a new, empty one.
///
/// # Errors
/// As keyctl(2). A kernel without keyrings is none.
///
/// # References
/// KEYCTL_JOIN_SESSION_KEYRING(2const), session-keyring(7)
pub fn leave_session_keyring() -> Result<(), Errno> {
    const JOIN_SESSION_KEYRING: c_int = 1;
    let anonymous = std::ptr::null::<libc::c_char>();
    // SAFETY: a null name asks for an anonymous keyring.
    let joined = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, anonymous) };
    match check_long(joined) {
        Ok(_) | Err(Errno(libc::ENOSYS)) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Sets the plain Linux execution domain: addresses random, nothing emulated.
///
/// # Errors
/// As personality(2).
///
/// # References
/// personality(2)
pub fn reset_execution_domain() -> Result<(), Errno> {
    // SAFETY: takes a number.
    check(unsafe { libc::personality(0) }).map(drop)
}

/// Whether it is set.
///
/// # Errors
/// As personality(2).
pub fn execution_domain_is_plain() -> Result<bool, Errno> {
    const QUERY: c_ulong = 0xffff_ffff;
    // SAFETY: takes a number; this one only asks.
    Ok(check(unsafe { libc::personality(QUERY) })? == 0)
}

/// FreeBSD's: on Linux, being traced is a matter of dumpability, which execve(2) resets.
///
/// # Errors
/// Always `ENOSYS`.
pub fn stop_tracing() -> Result<(), Errno> {
    Err(crate::errno::NOT_HERE)
}

/// FreeBSD's.
///
/// # Errors
/// Always `ENOSYS`.
pub fn tracing_is_stopped() -> Result<bool, Errno> {
    Err(crate::errno::NOT_HERE)
}
