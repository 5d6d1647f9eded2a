//! The calls.

use std::ffi::CStr;
use std::os::fd::RawFd;

use isol_core::Errno;

use super::Kinds;
use crate::errno::check;
use crate::process::Pid;

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

pub(super) fn parent_is_outside() -> bool {
    Pid::parent().get() == 0 && Pid::own().get() > 1
}

pub(super) fn loopback_up() -> Result<(), Errno> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: takes three numbers.
    let socket = check(unsafe { libc::socket(libc::AF_INET, kind, 0) })?;
    // SAFETY: all-zero bytes are a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is readable for the call, and its name ends with a NUL byte.
    let result = check(unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &request) });
    // SAFETY: opened above, closed once.
    unsafe { libc::close(socket) };
    result.map(drop)
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
    fn releases_are_two_numbers() {
        assert_eq!(super::release("6.1.0-18-amd64"), Some((6, 1)));
        assert_eq!(super::release("5.15+"), Some((5, 15)));
        assert_eq!(super::release("x"), None);
        assert!(kernel() >= Some((3, 10)));
    }

    #[test]
    fn kinds_are_a_set() {
        let two = Kinds::PID.and(Kinds::NET);
        assert!(two.has(Kinds::PID) && !two.has(Kinds::IPC) && two.has(Kinds::NONE));
        assert_eq!(two.names().collect::<Vec<_>>(), ["pid", "net"]);
        assert_eq!(two.without(Kinds::PID), Kinds::NET);
        assert!(identity(Kinds::PID).is_ok());
    }
}
