//! Pipes, and whole reads and writes of small records.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};

use isol_core::Errno;

use crate::errno::check;

/// A pipe, (read end, write end), both closed on exec and neither of them 0, 1 or 2.
///
/// # Errors
/// As pipe(2).
///
/// # References
/// pipe2(2), pipe(2)
pub fn new() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = io::pipe()?;
    Ok((read.into(), write.into()))
}

/// Two ends of which each one can be written to and read from, both closed on exec and neither of them 0, 1 or 2.
///
/// # Errors
/// As socketpair(2).
///
/// # References
/// socketpair(2)
pub fn both_ways() -> io::Result<(OwnedFd, OwnedFd)> {
    let (one, other) = std::os::unix::net::UnixStream::pair()?;
    Ok((one.into(), other.into()))
}

/// Waits for one byte; false if the other end is closed instead. Async-signal-safe.
///
/// # References
/// read(2)
#[must_use]
pub fn wait_for_byte(fd: RawFd) -> bool {
    let mut byte = 0_u8;
    loop {
        // SAFETY: one byte is writable.
        match check(unsafe { libc::read(fd, (&raw mut byte).cast(), 1) } as libc::c_int) {
            Ok(count) => return count == 1,
            Err(Errno(libc::EINTR)) => {}
            Err(_) => return false,
        }
    }
}

/// Closes one end, and says whether that went well.
///
/// Whoever then waits for the end of the file would wait for ever if this end were still open.
///
/// # Errors
/// As close(2).
///
/// # References
/// close(2)
pub fn close(end: OwnedFd) -> io::Result<()> {
    // SAFETY: the descriptor is owned, and nobody has it any more.
    check(unsafe { libc::close(end.into_raw_fd()) }).map(drop).map_err(io::Error::from)
}

/// Writes all of a record that is shorter than `PIPE_BUF`. Async-signal-safe.
///
/// # Errors
/// As write(2). `EINTR` is tried again.
///
/// # References
/// write(2), pipe(7)
pub fn write_record(fd: RawFd, record: &[u8]) -> Result<(), Errno> {
    loop {
        // SAFETY: the record is readable for its length.
        let written = unsafe { libc::write(fd, record.as_ptr().cast(), record.len()) };
        match check(written as libc::c_int) {
            Ok(n) if n as usize == record.len() => return Ok(()),
            Ok(_) => return Err(Errno(libc::EIO)),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Reads one record; `None` at end-of-file, also in the middle of a record.
///
/// # Errors
/// As read(2).
///
/// # References
/// read(2)
pub fn read_record<const N: usize>(from: &mut File) -> io::Result<Option<[u8; N]>> {
    let mut record = [0; N];
    match from.read_exact(&mut record) {
        Ok(()) => Ok(Some(record)),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e),
    }
}
