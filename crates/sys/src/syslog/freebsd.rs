//! FreeBSD: bindat(2) and connectat(2). The kernel writes credentials itself, and lets nobody name another's.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;

use super::Sender;

unsafe extern "C" {
    fn bindat(
        dir: libc::c_int,
        socket: libc::c_int,
        address: *const libc::sockaddr,
        length: libc::socklen_t,
    ) -> libc::c_int;
    fn connectat(
        dir: libc::c_int,
        socket: libc::c_int,
        address: *const libc::sockaddr,
        length: libc::socklen_t,
    ) -> libc::c_int;
}

type Call = unsafe extern "C" fn(
    libc::c_int,
    libc::c_int,
    *const libc::sockaddr,
    libc::socklen_t,
) -> libc::c_int;

fn at(call: Call, dir: BorrowedFd<'_>, name: &str) -> io::Result<UnixDatagram> {
    // SAFETY: all-zero bytes are a valid `sockaddr_un`.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    let length = size_of::<libc::sockaddr_un>();
    address.sun_len = length as u8;
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    // The last byte stays 0.
    let room = address.sun_path.len() - 1;
    for (to, from) in address.sun_path[..room].iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    let socket = UnixDatagram::unbound()?;
    let (dir, fd) = (dir.as_raw_fd(), socket.as_raw_fd());
    // SAFETY: both calls read an address of this length.
    let done = unsafe { call(dir, fd, (&raw const address).cast(), length as libc::socklen_t) };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(socket) }
}

pub(super) fn bind_at(dir: BorrowedFd<'_>, name: &str) -> io::Result<UnixDatagram> {
    let socket = at(bindat, dir, name)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

pub(super) fn connect_at(dir: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    at(connectat, dir, name).map(drop)
}

pub(super) fn receive(
    socket: &UnixDatagram,
    buffer: &mut [u8],
) -> io::Result<(usize, Option<Sender>)> {
    socket.recv(buffer).map(|length| (length, None))
}

pub(super) fn send(
    socket: &UnixDatagram,
    message: &[u8],
    _sender: Option<Sender>,
) -> io::Result<()> {
    socket.send(message).map(drop)
}
