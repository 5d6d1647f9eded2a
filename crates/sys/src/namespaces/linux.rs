//! The calls.

use std::ffi::CStr;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering;

use isol_core::Errno;

use super::Kinds;
use crate::errno::{check, check_long};
use crate::mounts::Fd;
use crate::process::Pid;
use crate::spawn::beside;

fn flags(kinds: Kinds) -> libc::c_int {
    let flag = |kind| match kind {
        Kinds::MOUNT => libc::CLONE_NEWNS,
        Kinds::PID => libc::CLONE_NEWPID,
        Kinds::IPC => libc::CLONE_NEWIPC,
        Kinds::UTS => libc::CLONE_NEWUTS,
        Kinds::NET => libc::CLONE_NEWNET,
        Kinds::CGROUP => libc::CLONE_NEWCGROUP,
        _ => libc::CLONE_NEWUSER,
    };
    kinds.iter().fold(0, |all, kind| all | flag(kind))
}

pub(super) fn leave(kinds: Kinds) -> Result<(), Errno> {
    // SAFETY: takes a number.
    check(unsafe { libc::unshare(flags(kinds)) }).map(drop)
}

pub(super) fn join_user(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: takes two numbers.
    check(unsafe { libc::setns(fd, libc::CLONE_NEWUSER) }).map(drop)
}

pub(super) fn own() -> Result<Fd, Errno> {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the path is a NUL-terminated literal.
    check(unsafe { libc::open(c"/proc/self/ns".as_ptr(), flags) }).map(Fd)
}

pub(super) fn read_link(at: &Fd, name: &CStr, text: &mut [u8]) -> Result<usize, Errno> {
    let (to, room) = (text.as_mut_ptr(), text.len());
    // SAFETY: the name is NUL-terminated, and the text is writable for its length.
    let got = unsafe { libc::readlinkat(at.get(), name.as_ptr(), to.cast(), room) };
    check_long(got as libc::c_long).map(|length| length as usize)
}

pub(super) fn parent_is_outside() -> bool {
    Pid::parent().get() == 0 && Pid::own().get() > 1
}

pub(super) fn why_no_init() -> Option<i32> {
    let failed = beside::own()?.failed.load(Ordering::Acquire);
    (failed != 0).then_some(failed)
}

pub(super) fn init_is_there() {
    if let Some(beside) = beside::own() {
        beside.has_left();
    }
}

pub(super) fn await_later(ready: RawFd) -> bool {
    beside::own().is_some_and(|beside| {
        beside.heard_by.store(ready, Ordering::Relaxed);
        true
    })
}

pub(super) fn awaited() -> Option<RawFd> {
    let ready = beside::own()?.heard_by.swap(-1, Ordering::Relaxed);
    (ready != -1).then_some(ready)
}

pub(super) fn loopback_up() -> Result<(), Errno> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: takes three numbers.
    let socket = check(unsafe { libc::socket(libc::AF_INET, kind, 0) })?;
    let request = loopback_that_is_up();
    // SAFETY: the request is readable for the call, and its name ends with a NUL byte.
    let result = check(unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &request) });
    // SAFETY: opened above, closed once.
    unsafe { libc::close(socket) };
    result.map(drop)
}

/// For SIOCSIFFLAGS.
pub(super) fn loopback_that_is_up() -> libc::ifreq {
    // SAFETY: all-zero bytes are a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    request
}

pub(super) fn set_hostname(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the name is readable for the length that is given.
    check(unsafe { libc::sethostname(name.as_ptr(), name.count_bytes()) }).map(drop)
}

pub(super) fn may_be_made() -> bool {
    crate::privileges::may_administer()
}

pub(super) fn kernel() -> Option<(u32, u32)> {
    let name = nix::sys::utsname::uname().ok()?;
    release(name.release().to_str()?)
}

/// `6.1.0-18-amd64`, `5.15.0+`, `6.18`.
fn release(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn releases_are_two_numbers() {
        assert_eq!(super::release("6.1.0-18-amd64"), Some((6, 1)));
        assert_eq!(super::release("5.15+"), Some((5, 15)));
        assert_eq!(super::release("x"), None);
        assert!(kernel() >= Some((3, 10)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn kinds_are_a_set() {
        let two = Kinds::PID.and(Kinds::NET);
        assert!(two.has(Kinds::PID) && !two.has(Kinds::IPC) && two.has(Kinds::NONE));
        assert_eq!(two.names().collect::<Vec<_>>(), ["pid", "net"]);
        assert_eq!(two.without(Kinds::PID), Kinds::NET);
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn a_namespace_is_told_by_its_number() {
        use std::os::unix::fs::MetadataExt;
        let own = Own::open().unwrap();
        for kind in [Kinds::MOUNT, Kinds::PID, Kinds::NET, Kinds::USER] {
            let (.., name) = ALL.into_iter().find(|(k, ..)| *k == kind).unwrap();
            let path = format!("/proc/self/ns/{}", name.to_str().unwrap());
            assert_eq!(own.identity(kind).unwrap(), std::fs::metadata(path).unwrap().ino());
        }
        assert_eq!(number_in(b"mnt:[4026531841]"), Some(4_026_531_841));
        for wrong in
            [&b"mnt:[]"[..], b"mnt:", b"mnt:[12", b"mnt:[1x]", b"mnt:[99999999999999999999]"]
        {
            assert_eq!(number_in(wrong), None);
        }
    }
}
