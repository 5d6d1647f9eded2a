//! Terminals.

use std::io;
use std::os::fd::{OwnedFd, RawFd};

use isol_core::Errno;
use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, unlockpt};

use crate::errno::check;

/// A new terminal: (the side of whoever shows it, the side of the programs in it).
///
/// # Errors
/// As posix_openpt(3).
///
/// # References
/// posix_openpt(3), ptsname(3)
pub fn make_terminal() -> io::Result<(OwnedFd, OwnedFd)> {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    // SAFETY: no other thread asks for a name now: these are calls for a process with one thread.
    let name = unsafe { nix::pty::ptsname(&master) }?;
    let slave = nix::fcntl::open(
        name.as_str(),
        OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC,
        nix::sys::stat::Mode::empty(),
    )?;
    Ok((crate::attempts::duplicate(std::os::fd::AsRawFd::as_raw_fd(&master))?, slave))
}

/// Makes a terminal the controlling one.
///
/// # Errors
/// As ioctl(2).
///
/// # References
/// TIOCSCTTY(2const), tty(4)
pub fn take_terminal(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: TIOCSCTTY takes a number.
    check(unsafe { libc::ioctl(fd, libc::TIOCSCTTY as _, 0) }).map(drop)
}

/// Puts a character into a terminal's input, as if somebody had typed it.
///
/// # Errors
/// As ioctl(2).
///
/// # References
/// TIOCSTI(2const), tty(4)
pub fn type_into(fd: RawFd, byte: u8) -> Result<(), Errno> {
    let byte = byte as libc::c_char;
    // SAFETY: TIOCSTI reads one character.
    check(unsafe { libc::ioctl(fd, libc::TIOCSTI as _, &byte) }).map(drop)
}

/// Whether a descriptor is of this process's controlling terminal.
///
/// # References
/// tcgetsid(3)
#[must_use]
pub fn controls(fd: RawFd) -> bool {
    // SAFETY: takes a number.
    unsafe { libc::tcgetsid(fd) != -1 }
}
