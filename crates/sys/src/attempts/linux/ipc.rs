//! POSIX message queues, abstract sockets, sockets between machines.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};

use isol_core::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, listen, socket,
};

use super::owned;
use crate::errno::{check, from_nix};

/// Makes a message queue for everybody.
///
/// # Errors
/// As mq_open(3).
pub fn queue_make(name: &CStr) -> Result<(), Errno> {
    let queue = open(name, libc::O_RDWR | libc::O_CREAT)?;
    // SAFETY: takes numbers.
    check(unsafe { libc::fchmod(queue.as_raw_fd(), 0o666) }).map(drop)
}

/// Opens a message queue for reading and writing.
///
/// # Errors
/// As mq_open(3).
pub fn queue_open(name: &CStr) -> Result<(), Errno> {
    open(name, libc::O_RDWR).map(drop)
}

fn open(name: &CStr, flags: i32) -> Result<OwnedFd, Errno> {
    let flags = flags | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let none = std::ptr::null::<libc::mq_attr>();
    // SAFETY: the name is NUL-terminated and outlives the call; without attributes there are the usual ones.
    let queue = unsafe { libc::mq_open(name.as_ptr(), flags, 0o666 as libc::mode_t, none) };
    // On Linux it is a descriptor.
    owned(queue.into())
}

/// Removes a message queue.
///
/// # Errors
/// As mq_unlink(3).
pub fn queue_remove(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the name is NUL-terminated and outlives the call.
    check(unsafe { libc::mq_unlink(name.as_ptr()) }).map(drop)
}

fn stream() -> Result<OwnedFd, Errno> {
    socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).map_err(from_nix)
}

/// Listens on an abstract socket.
///
/// # Errors
/// As bind(2) and listen(2).
pub fn abstract_listen(name: &[u8]) -> Result<OwnedFd, Errno> {
    let (fd, address) = (stream()?, UnixAddr::new_abstract(name).map_err(from_nix)?);
    bind(fd.as_raw_fd(), &address).map_err(from_nix)?;
    listen(&fd, Backlog::MAXCONN).map_err(from_nix)?;
    Ok(fd)
}

/// Connects to an abstract socket.
///
/// # Errors
/// As connect(2).
pub fn abstract_connect(name: &[u8]) -> Result<OwnedFd, Errno> {
    let (fd, address) = (stream()?, UnixAddr::new_abstract(name).map_err(from_nix)?);
    connect(fd.as_raw_fd(), &address).map_err(from_nix)?;
    Ok(fd)
}

/// A socket to the machine that this one runs on, or to those that run on this one.
///
/// # Errors
/// As socket(2).
///
/// # References
/// vsock(7)
pub fn vsock() -> Result<OwnedFd, Errno> {
    socket(AddressFamily::Vsock, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).map_err(from_nix)
}
