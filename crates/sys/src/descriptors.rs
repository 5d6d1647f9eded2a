//! Open descriptors: which there are, and closing those that nobody asked for.

use std::os::fd::RawFd;

use isol_core::Errno;

use crate::errno::check;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "descriptors/linux.rs"]
        mod system;
    } else if #[cfg(target_os = "freebsd")] {
        #[path = "descriptors/freebsd.rs"]
        mod system;
    } else if #[cfg(target_os = "macos")] {
        #[path = "descriptors/macos.rs"]
        mod system;
    } else {
        #[path = "descriptors/limit.rs"]
        mod system;
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use system::{number, split_entry};

/// Closes every descriptor from `first` to `last`, both included. Async-signal-safe.
///
/// # Errors
/// As close_range(2), and those of the directory listing where there is no such call.
///
/// # References
/// close_range(2), closefrom(2)
pub fn close_between(first: RawFd, last: RawFd) -> Result<(), Errno> {
    if first > last { Ok(()) } else { system::close_between(first, last) }
}

/// Gives a child that shares its parent's table of descriptors a table of its own, without those
/// above `last`: what it costs grows with `last`, and not with what is open above. In a child that has
/// a table of its own it closes those above `last`, or does nothing. Async-signal-safe.
///
/// # Errors
/// As close_range(2) and unshare(2).
///
/// # References
/// close_range(2): `CLOSE_RANGE_UNSHARE`
pub fn part_from_parent(last: RawFd) -> Result<(), Errno> {
    system::part_from_parent(last)
}

/// Closes every descriptor but 0, 1, 2, those of `keep`, which is sorted, and `also`.
/// Async-signal-safe.
///
/// # Errors
/// As [`close_between`].
pub fn close_all_but(keep: &[RawFd], also: Option<RawFd>) -> Result<(), Errno> {
    let mut next = 3;
    let mut keep = keep.iter().copied().filter(|&fd| fd >= 3).peekable();
    let mut also = also.filter(|&fd| fd >= 3);
    loop {
        let kept = match (keep.peek().copied(), also) {
            (Some(a), Some(b)) if b < a => also.take(),
            (None, Some(_)) => also.take(),
            _ => keep.next(),
        };
        let Some(kept) = kept else {
            return close_between(next, RawFd::MAX);
        };
        close_between(next, kept - 1)?;
        next = next.max(kept + 1);
    }
}

/// Puts `from` on `to`, open across exec. Async-signal-safe.
///
/// # Errors
/// As dup2(2).
///
/// # References
/// dup2(2)
pub fn put(from: RawFd, to: RawFd) -> Result<(), Errno> {
    if from == to {
        return keep_across_exec(from);
    }
    // SAFETY: takes two numbers. What stood on `to` is closed: a standard descriptor, which no object owns.
    check(unsafe { libc::dup2(from, to) }).map(drop)
}

/// Clears the close-on-exec flag. Async-signal-safe.
///
/// # Errors
/// As fcntl(2).
///
/// # References
/// fcntl(2)
pub fn keep_across_exec(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: F_SETFD takes a number.
    check(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) }).map(drop)
}

/// Whether a descriptor is open. Async-signal-safe.
#[must_use]
pub fn is_open(fd: RawFd) -> bool {
    // SAFETY: F_GETFD takes no argument.
    unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
}

/// Whether an open descriptor is of a directory. Async-signal-safe.
///
/// # Errors
/// As fstat(2).
///
/// # References
/// fstat(2)
pub fn is_directory(fd: RawFd) -> Result<bool, Errno> {
    // SAFETY: all-zero bytes are a valid `stat`, which is plain integers.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `stat` is writable for the call.
    check(unsafe { libc::fstat(fd, &mut stat) })?;
    Ok(stat.st_mode & libc::S_IFMT == libc::S_IFDIR)
}

/// Opens `/dev/null` on whichever of 0, 1 and 2 are closed, for reading and writing.
/// To be called before anything else is opened, which would land there.
///
/// # Errors
/// As open(2).
///
/// # References
/// open(2)
pub fn open_standard() -> Result<(), Errno> {
    while let Some(closed) = (0..3).find(|&fd| !is_open(fd)) {
        // SAFETY: the path is a NUL-terminated literal.
        let got = check(unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) })?;
        if got != closed {
            // Another thread opened something meanwhile: not a process to do this in.
            return Err(Errno(libc::EBUSY));
        }
    }
    Ok(())
}

/// The lowest descriptor from `from` on that is open and neither in `keep` nor `also`: on Linux up to the end of the
/// process's table, or 65535; on macOS up to the end of the table; elsewhere up to 1023. One that was opened by `O_PATH` is
/// found up to 1023. With `until_exec` those that execve(2) will close do not count: valgrind keeps its own, which are such,
/// from close_range(2). Async-signal-safe. A question for each of the first 1024, and one poll(2) for 256 of the others, as
/// far as the table goes.
///
/// # Errors
/// As poll(2).
///
/// # References
/// fcntl(2): `F_GETFD`; poll(2): `POLLNVAL` is for those that are not open
pub fn first_open(
    from: RawFd,
    keep: &[RawFd],
    also: Option<RawFd>,
    until_exec: bool,
) -> Result<Option<RawFd>, Errno> {
    let stray = |fd: RawFd| also != Some(fd) && !keep.contains(&fd) && stays_open(fd, until_exec);
    let (mut start, mut size) = (from, PIECE - from % PIECE);
    loop {
        let found = match start < ONE_BY_ONE {
            true => (start..start + size).find(|&fd| stray(fd)),
            false => polled(start, stray)?,
        };
        if found.is_some() {
            return Ok(found);
        }
        start += size;
        size = if start < ONE_BY_ONE { PIECE } else { AT_ONCE as RawFd };
        if system::none_is_open_from(start)? {
            return Ok(None);
        }
    }
}

/// As many as the smallest table has; larger ones have a multiple of it.
const PIECE: RawFd = 64;
/// So far each one is asked for by itself: for poll(2) one that was opened by `O_PATH` is none.
const ONE_BY_ONE: RawFd = 1024;
const AT_ONCE: usize = 256;

/// Whether a descriptor is open, and, if there is to be an execve(2), behind that as well.
fn stays_open(fd: RawFd, until_exec: bool) -> bool {
    // SAFETY: F_GETFD takes no argument.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    flags != -1 && !(until_exec && flags & libc::FD_CLOEXEC != 0)
}

/// The first of the 256 from here on that is open and no other's.
fn polled(start: RawFd, stray: impl Fn(RawFd) -> bool) -> Result<Option<RawFd>, Errno> {
    let mut polled = [libc::pollfd { fd: 0, events: 0, revents: 0 }; AT_ONCE];
    for (place, fd) in polled.iter_mut().zip(start..) {
        place.fd = fd;
    }
    // SAFETY: all elements of the array are writable for the call.
    match check(unsafe { libc::poll(polled.as_mut_ptr(), AT_ONCE as libc::nfds_t, 0) }) {
        Ok(_) => {
            // Asked for once more: valgrind hides its own from a program, and not from poll(2).
            let open =
                |p: &&libc::pollfd| p.revents & libc::POLLNVAL == 0 && stray(p.fd) && is_open(p.fd);
            Ok(polled.iter().find(open).map(|found| found.fd))
        }
        // More than the limit on open files allows to ask for at once.
        Err(Errno(libc::EINVAL)) => {
            let end = start + AT_ONCE as RawFd;
            Ok((start..end).find(|&fd| stray(fd)))
        }
        Err(errno) => Err(errno),
    }
}
