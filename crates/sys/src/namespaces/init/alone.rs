//! From a process that shares its maker's memory, beside others that run there, to the init's program: by raw calls.

use std::os::fd::RawFd;

use isol_core::Errno;

use super::super::AT_LOOPBACK;
use super::super::system::loopback_that_is_up;
use super::Watch;
use crate::raw::call;

/// What clone(2) does not take along, and what has to be done where the maker is: `/` moves with the root when that is
/// exchanged, and a path that is resolved meanwhile might lead to either. Runs `make` there.
///
/// # Errors
/// As open(2), chdir(2), and `make`.
pub(super) fn from_the_root(make: impl FnOnce() -> Result<i32, Errno>) -> Result<i32, Errno> {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the path is a NUL-terminated literal.
    let here = crate::errno::check(unsafe { libc::open(c".".as_ptr(), flags) })?;
    let made = crate::chroot::change_directory(c"/").and_then(|()| make());
    // SAFETY: takes a number.
    let back = crate::errno::check(unsafe { libc::fchdir(here) });
    // SAFETY: opened above, closed once.
    unsafe { libc::close(here) };
    // Whoever has been made ends with this process, which does not go on.
    back.and(made)
}

/// Whether the calls below can be made: before Linux 5.9 there is no close_range(2), and a filter may refuse it.
pub(super) fn can_be_shut() -> bool {
    close_between(RawFd::MAX, RawFd::MAX).is_ok()
}

/// Shuts this process, and executes the program. Returns only if that failed, with the errno and what it is of. All
/// signals are blocked.
pub(super) fn become_program(watch: Watch, image: RawFd) -> i32 {
    // While it has its capabilities, and its descriptors are many yet.
    if watch.loopback
        && let Err(Errno(errno)) = loopback_up()
    {
        return errno | AT_LOOPBACK;
    }
    match shut(watch, image) {
        Ok(()) => execute(image).0,
        Err(Errno(errno)) => errno,
    }
}

/// Nobody else has the network yet.
fn loopback_up() -> Result<(), Errno> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: takes numbers.
    let socket =
        unsafe { call(libc::SYS_socket, [libc::AF_INET as usize, kind as usize, 0, 0, 0]) }?;
    let request = loopback_that_is_up();
    let at = (&raw const request).addr();
    // SAFETY: the request is readable for the call, and its name ends with a NUL byte. The socket is closed with all else.
    unsafe { call(libc::SYS_ioctl, [socket, libc::SIOCSIFFLAGS as usize, at, 0, 0]) }.map(drop)
}

fn shut(watch: Watch, image: RawFd) -> Result<(), Errno> {
    let (guardian, ready) = (above_standard(watch.guardian)?, above_standard(watch.ready)?);
    for (fd, place) in [(guardian, 0), (ready, 1)] {
        // SAFETY: takes numbers.
        unsafe { call(libc::SYS_dup3, [fd as usize, place, 0, 0, 0]) }?;
    }
    // The image is above 2.
    close_between(2, image - 1)?;
    close_between(image + 1, RawFd::MAX)?;
    ignore_children()?;
    empty_capabilities()?;
    // Executing gives uid 0 its capabilities back, but for this.
    // SAFETY: takes numbers.
    unsafe { call(libc::SYS_prctl, [libc::PR_SET_NO_NEW_PRIVS as usize, 1, 0, 0, 0]) }.map(drop)
}

fn above_standard(fd: RawFd) -> Result<RawFd, Errno> {
    let duplicate = [fd as usize, libc::F_DUPFD_CLOEXEC as usize, 3, 0, 0];
    match fd {
        // SAFETY: takes numbers.
        0..3 => unsafe { call(libc::SYS_fcntl, duplicate) }.map(|made| made as RawFd),
        _ => Ok(fd),
    }
}

fn close_between(first: RawFd, last: RawFd) -> Result<(), Errno> {
    // SAFETY: takes numbers. The table is this process's own, and nobody else's in it uses what is closed.
    unsafe { call(libc::SYS_close_range, [first as usize, last as usize, 0, 0, 0]) }.map(drop)
}

/// The kernel waits for them.
fn ignore_children() -> Result<(), Errno> {
    // The handler, flags, a restorer, and a mask of 64 bits.
    let action = [libc::SIG_IGN, 0, 0, 0];
    let at = action.as_ptr().addr();
    // SAFETY: the action is readable for the call, as the kernel lays it out, and the old one is not asked for.
    unsafe { call(libc::SYS_rt_sigaction, [libc::SIGCHLD as usize, at, 0, 8, 0]) }.map(drop)
}

fn empty_capabilities() -> Result<(), Errno> {
    let clear = libc::PR_CAP_AMBIENT_CLEAR_ALL as usize;
    // SAFETY: takes numbers.
    match unsafe { call(libc::SYS_prctl, [libc::PR_CAP_AMBIENT as usize, clear, 0, 0, 0]) } {
        // A kernel before 4.3, which has no ambient set.
        Ok(_) | Err(Errno(libc::EINVAL)) => {}
        Err(errno) => return Err(errno),
    }
    // Version 3, of this process; two halves of three sets.
    let (header, sets) = ([0x2008_0522_u32, 0], [0_u32; 6]);
    let (header, sets) = (header.as_ptr().addr(), sets.as_ptr().addr());
    // SAFETY: both are readable for the call, as version 3 wants.
    unsafe { call(libc::SYS_capset, [header, sets, 0, 0, 0]) }.map(drop)
}

fn execute(image: RawFd) -> Errno {
    let words = [c"isol-init".as_ptr(), std::ptr::null()];
    let (path, words, none) =
        (c"".as_ptr().addr(), words.as_ptr().addr(), (&raw const words[1]).addr());
    let arguments = [image as usize, path, words, none, libc::AT_EMPTY_PATH as usize];
    // SAFETY: the path is a NUL-terminated literal; both arrays end with NULL and outlive the call.
    unsafe { call(libc::SYS_execveat, arguments) }.err().unwrap_or(Errno(0))
}
