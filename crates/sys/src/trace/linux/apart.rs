//! Keeps what this process has from the program that it is going to watch: its terminal, and its descriptors.

use std::fs;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::descriptors::number;
use crate::errno::{BAD_DESCRIPTOR, check};
use crate::session;

const FIRST: RawFd = 3;

/// Has the program start in a session of its own, without a controlling terminal, and with no descriptors but 0, 1 and 2.
pub(super) fn keep(command: &mut Command) -> io::Result<()> {
    let last = last_open()?;
    let apart = move || {
        session::start().map_err(|errno| io::Error::from_raw_os_error(errno.0))?;
        close_on_exec(last)
    };
    // SAFETY: between fork and exec, system calls are made, and nothing else: nothing is allocated, no lock is taken.
    unsafe { command.pre_exec(apart) };
    Ok(())
}

fn last_open() -> io::Result<RawFd> {
    let mut last = FIRST - 1;
    for entry in fs::read_dir("/proc/self/fd")? {
        last = last.max(number(entry?.file_name().as_encoded_bytes()).unwrap_or(last));
    }
    Ok(last)
}

/// Not closed at once: one of them tells the parent that execve(2) has failed.
fn close_on_exec(last: RawFd) -> io::Result<()> {
    let flag = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: takes three numbers, and closes nothing in this process.
    match unsafe { libc::syscall(libc::SYS_close_range, FIRST, RawFd::MAX, flag) } {
        0 => Ok(()),
        // Before Linux 5.11 there is no such flag.
        _ => one_by_one(last),
    }
}

fn one_by_one(last: RawFd) -> io::Result<()> {
    for fd in FIRST..=last {
        // SAFETY: F_SETFD takes a number.
        match check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) }) {
            Ok(_) | Err(BAD_DESCRIPTOR) => {}
            Err(errno) => return Err(io::Error::from_raw_os_error(errno.0)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    type Close = fn(RawFd) -> io::Result<()>;

    /// A descriptor that an exec would keep.
    fn kept() -> RawFd {
        let file = fs::File::open("/dev/null").unwrap();
        // SAFETY: F_DUPFD takes a number.
        check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD, 300) }).unwrap()
    }

    #[test]
    fn no_descriptor_stays_open_across_an_exec() {
        for close in [close_on_exec as Close, one_by_one] {
            let high = kept();
            close(last_open().unwrap()).unwrap();
            // SAFETY: F_GETFD takes no argument.
            assert_eq!(unsafe { libc::fcntl(high, libc::F_GETFD) }, libc::FD_CLOEXEC);
            // SAFETY: made above, closed once.
            unsafe { libc::close(high) };
        }
    }
}
