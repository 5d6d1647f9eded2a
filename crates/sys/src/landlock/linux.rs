//! Linux's Landlock, by its three system calls.
//!
//! The crate `landlock` makes rulesets in the process that prepares. Here they are made behind the change of the root
//! and the closing of all descriptors, in a process that may not allocate, and of its own root directory: the rules
//! are a few numbers, and no descriptor has to outlive anything.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use isol_core::Errno;
use libc::c_long;

use super::{Failed, Restriction};
use crate::errno::{check, check_long};

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_BLOCK: u64 = 1 << 11;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;
const READ: u64 = EXECUTE | READ_FILE | READ_DIR;
/// What can be done to a file that is no directory.
const OF_A_FILE: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;

const BIND_TCP: u64 = 1;
const CONNECT_TCP: u64 = 1 << 1;

const SCOPE_ABSTRACT_SOCKETS: u64 = 1;
const SCOPE_SIGNALS: u64 = 1 << 1;

/// Every right over files that a version of the interface knows.
const fn file_rights(version: u32) -> u64 {
    let count = match version {
        0 | 1 => 13,
        2 => 14,
        3 | 4 => 15,
        _ => 16,
    };
    (1 << count) - 1
}

/// `struct landlock_ruleset_attr`: a kernel that knows less of it takes it as long as the rest is 0.
#[repr(C)]
struct Ruleset {
    files: u64,
    net: u64,
    scoped: u64,
}

#[repr(C, packed)]
struct Beneath {
    allowed: u64,
    parent: i32,
}

#[repr(C)]
struct Port {
    allowed: u64,
    port: u64,
}

const RULE_BENEATH: c_long = 1;
const RULE_PORT: c_long = 2;

/// The version of the kernel's interface, from 1 up.
///
/// # Errors
/// `ENOSYS` from a kernel without Landlock, `EOPNOTSUPP` from one that was started without it.
///
/// # References
/// landlock_create_ruleset(2): `LANDLOCK_CREATE_RULESET_VERSION`
pub fn version() -> Result<u32, Errno> {
    const VERSION: c_long = 1;
    let nothing = std::ptr::null::<Ruleset>();
    // SAFETY: with this flag there are no attributes.
    let version = check_long(unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0, VERSION)
    })?;
    Ok(version as u32)
}

fn failed(what: &'static str) -> impl Fn(Errno) -> Failed {
    move |errno| Failed { errno, what }
}

fn owned(answer: c_long) -> Result<OwnedFd, Errno> {
    let fd = check_long(answer)? as i32;
    // SAFETY: just made by the call, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Puts a restriction in force, for this thread and all that come of it: paths are those of the root that it has
/// now. Takes `no_new_privs`. Async-signal-safe.
///
/// # Errors
/// As the calls, and what was being done.
///
/// # References
/// landlock(7), landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2)
pub fn restrict(restriction: &Restriction) -> Result<(), Failed> {
    let version = version().map_err(failed("asking for Landlock"))?;
    let files = if restriction.write.is_some() { file_rights(version) } else { 0 };
    let bit = |set: bool, bit: u64| if set { bit } else { 0 };
    let attributes = Ruleset {
        files,
        net: bit(restriction.bind.is_some(), BIND_TCP)
            | bit(restriction.connect.is_some(), CONNECT_TCP),
        scoped: bit(restriction.sockets, SCOPE_ABSTRACT_SOCKETS)
            | bit(restriction.signals, SCOPE_SIGNALS),
    };
    // SAFETY: the attributes are readable for the size that is given.
    let ruleset = owned(unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, &attributes, size_of::<Ruleset>(), 0)
    })
    .map_err(failed("landlock_create_ruleset"))?;
    if let Some(write) = &restriction.write {
        allow(&ruleset, c"/", READ)?;
        for path in write {
            allow(&ruleset, path, files & !(MAKE_CHAR | MAKE_BLOCK))?;
        }
        for path in &restriction.write_if_there {
            match allow(&ruleset, path, files & (READ_FILE | WRITE_FILE | TRUNCATE)) {
                Err(Failed { errno: Errno(libc::ENOENT), .. }) => {}
                allowed => allowed?,
            }
        }
    }
    for (ports, right) in [(&restriction.bind, BIND_TCP), (&restriction.connect, CONNECT_TCP)] {
        for &port in ports.iter().flatten() {
            let rule = Port { allowed: right, port: port.into() };
            // SAFETY: the rule is readable, and of the kind that is named.
            check_long(unsafe {
                libc::syscall(libc::SYS_landlock_add_rule, ruleset.as_raw_fd(), RULE_PORT, &rule, 0)
            })
            .map_err(failed("allowing a TCP port"))?;
        }
    }
    // SAFETY: takes two numbers.
    let done = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) };
    check_long(done).map(drop).map_err(failed("landlock_restrict_self"))
}

/// Opens what a path leads to, in a root that is still outside or, without one, in this process's own. No symbolic
/// link is followed: what is allowed would be somewhere else. Async-signal-safe.
///
/// # Errors
/// As openat2(2): `ELOOP` for a symbolic link.
///
/// # References
/// openat2(2): `RESOLVE_IN_ROOT`, `RESOLVE_NO_SYMLINKS`
pub fn find(root: Option<BorrowedFd<'_>>, path: &CStr) -> Result<OwnedFd, Errno> {
    // SAFETY: a structure of numbers, for which 0 is a value.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (libc::O_PATH | libc::O_CLOEXEC) as u64;
    how.resolve = libc::RESOLVE_NO_SYMLINKS;
    if root.is_some() {
        how.resolve |= libc::RESOLVE_IN_ROOT;
    }
    let from = root.map_or(libc::AT_FDCWD, |root| root.as_raw_fd());
    // SAFETY: the path is NUL-terminated, and the structure readable for the size that is given.
    owned(unsafe {
        libc::syscall(libc::SYS_openat2, from, path.as_ptr(), &how, size_of::<libc::open_how>())
    })
}

/// Allows something beneath a path.
fn allow(ruleset: &OwnedFd, path: &CStr, rights: u64) -> Result<(), Failed> {
    let opened = find(None, path).map_err(failed("opening what can be written to"))?;
    // SAFETY: a structure of numbers, for which 0 is a value.
    let mut found: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is writable.
    check(unsafe { libc::fstat(opened.as_raw_fd(), &mut found) })
        .map_err(failed("looking at what can be written to"))?;
    let kind = found.st_mode & libc::S_IFMT;
    let allowed = if kind == libc::S_IFDIR { rights } else { rights & OF_A_FILE };
    let rule = Beneath { allowed, parent: opened.as_raw_fd() };
    // SAFETY: the rule is readable, and of the kind that is named.
    check_long(unsafe {
        libc::syscall(libc::SYS_landlock_add_rule, ruleset.as_raw_fd(), RULE_BENEATH, &rule, 0)
    })
    .map(drop)
    .map_err(failed("allowing what is beneath a path"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Status, wait};

    /// What a child sees that has restricted itself: 0 if it is what it should be.
    fn in_a_child(restriction: &Restriction, sees: fn() -> bool) -> Status {
        let child = crate::spawn::child(crate::spawn::Table::Copied, &mut || {
            let done =
                crate::privileges::set_no_new_privileges().is_ok() && restrict(restriction).is_ok();
            if done { i32::from(!sees()) } else { 9 }
        });
        wait(child.unwrap()).unwrap()
    }

    fn can(path: &CStr, how: i32) -> bool {
        // SAFETY: the path is NUL-terminated.
        owned(c_long::from(unsafe { libc::open(path.as_ptr(), how | libc::O_CLOEXEC, 0o600) }))
            .is_ok()
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn files_can_be_read_and_only_those_that_are_named_written_to() {
        if version().is_err() {
            return;
        }
        let restriction = Restriction {
            write: Some(vec![c"/var/tmp".into()]),
            write_if_there: vec![c"/dev/null".into(), c"/nowhere".into()],
            ..Restriction::default()
        };
        let ended = in_a_child(&restriction, || {
            can(c"/etc/passwd", libc::O_RDONLY)
                && can(c"/dev/null", libc::O_WRONLY | libc::O_TRUNC)
                && can(c"/var/tmp", libc::O_TMPFILE | libc::O_RDWR)
                && !can(c"/tmp", libc::O_TMPFILE | libc::O_RDWR)
                && !can(c"/dev/zero", libc::O_WRONLY)
        });
        assert_eq!(ended, Status::Exited(0));
        let nothing = Restriction { signals: true, ..Restriction::default() };
        let ended = in_a_child(&nothing, || can(c"/tmp", libc::O_TMPFILE | libc::O_RDWR));
        assert_eq!(ended, Status::Exited(0));
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn what_is_not_there_can_t_be_allowed() {
        if version().is_err() {
            return;
        }
        let restriction =
            |path: &CStr| Restriction { write: Some(vec![path.into()]), ..Restriction::default() };
        for path in [c"/nowhere/at/all", c"/proc/self"] {
            assert_eq!(in_a_child(&restriction(path), || true), Status::Exited(9));
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn each_part_says_what_it_takes() {
        let version = |change: fn(&mut Restriction)| {
            let mut restriction = Restriction::default();
            change(&mut restriction);
            restriction.needs().0
        };
        assert_eq!(version(|r| r.signals = true), 6);
        assert_eq!(version(|r| r.bind = Some(Vec::new())), 4);
        assert_eq!(version(|r| r.write = Some(Vec::new())), 3);
        assert_eq!([1, 2, 3, 5, 7].map(file_rights), [0x1fff, 0x3fff, 0x7fff, 0xffff, 0xffff]);
    }
}
