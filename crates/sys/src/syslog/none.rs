//! Systems on which isol relays nothing.

use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixDatagram;

use super::Sender;

fn not_here<T>() -> io::Result<T> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

pub(super) fn bind_at(_dir: BorrowedFd<'_>, _name: &str) -> io::Result<UnixDatagram> {
    not_here()
}

pub(super) fn connect_at(_dir: BorrowedFd<'_>, _name: &str) -> io::Result<()> {
    not_here()
}

pub(super) fn receive(
    _socket: &UnixDatagram,
    _buffer: &mut [u8],
) -> io::Result<(usize, Option<Sender>)> {
    not_here()
}

pub(super) fn send(
    _socket: &UnixDatagram,
    _message: &[u8],
    _sender: Option<Sender>,
) -> io::Result<()> {
    not_here()
}
