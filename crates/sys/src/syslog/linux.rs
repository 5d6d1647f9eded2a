//! Linux: sockets by `/proc/self/fd`, credentials by SCM_CREDENTIALS.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use super::Sender;

fn path(dir: BorrowedFd<'_>, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{name}", dir.as_raw_fd()))
}

pub(super) fn bind_at(dir: BorrowedFd<'_>, name: &str) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::bind(path(dir, name))?;
    let on: libc::c_int = 1;
    let length = size_of::<libc::c_int>() as libc::socklen_t;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_PASSCRED);
    // SAFETY: the option is a readable int, and its length is that of one.
    let set = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), length)
    };
    if set == -1 { Err(io::Error::last_os_error()) } else { Ok(socket) }
}

pub(super) fn connect_at(dir: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    UnixDatagram::unbound()?.connect(path(dir, name))
}

/// Room for one sender, and for nothing else: what a message brings beside it, the kernel drops.
const ROOM: usize = size_of::<libc::cmsghdr>() + size_of::<libc::ucred>().next_multiple_of(8);

#[repr(C, align(8))]
struct Control([u8; ROOM]);

impl Control {
    fn header(&mut self, part: &mut libc::iovec) -> libc::msghdr {
        // SAFETY: all-zero bytes are a valid `msghdr`.
        let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
        header.msg_iov = part;
        header.msg_iovlen = 1;
        header.msg_control = self.0.as_mut_ptr().cast();
        header.msg_controllen = ROOM as _;
        header
    }
}

pub(super) fn receive(
    socket: &UnixDatagram,
    buffer: &mut [u8],
) -> io::Result<(usize, Option<Sender>)> {
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut control = Control([0; ROOM]);
    let mut header = control.header(&mut part);
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the header leads to a writable buffer and to writable room, each of its length.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut header, flags) };
    if length == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok((length as usize, sender(&header)))
}

fn sender(header: &libc::msghdr) -> Option<Sender> {
    // SAFETY: the header is one that recvmsg has filled in.
    let first = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: not null, so it leads to a header in the room, which is aligned for one.
    let message = unsafe { first.as_ref() }?;
    // SAFETY: a computation.
    let least = unsafe { libc::CMSG_LEN(size_of::<libc::ucred>() as u32) } as usize;
    let is_one =
        message.cmsg_level == libc::SOL_SOCKET && message.cmsg_type == libc::SCM_CREDENTIALS;
    if !is_one || (message.cmsg_len as usize) < least {
        return None;
    }
    // SAFETY: the address behind a header in the room.
    let data = unsafe { libc::CMSG_DATA(first) };
    // SAFETY: it has the length of the credentials, as has just been seen; their alignment is not asked for.
    let found = unsafe { data.cast::<libc::ucred>().read_unaligned() };
    // A sender that this process can't see has no pid.
    (found.pid > 0).then_some(Sender { pid: found.pid, uid: found.uid, gid: found.gid })
}

pub(super) fn send(
    socket: &UnixDatagram,
    message: &[u8],
    sender: Option<Sender>,
) -> io::Result<()> {
    let own = std::process::id() as i32;
    // One that has ended has no pid any more (ESRCH); one that has none of its own privileges can't name others (EPERM).
    for sender in sender.into_iter().flat_map(|s| [s, Sender { pid: own, ..s }]) {
        match send_as(socket, message, sender) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::ESRCH | libc::EPERM)) => {}
            other => return other,
        }
    }
    socket.send(message).map(drop)
}

fn send_as(socket: &UnixDatagram, message: &[u8], sender: Sender) -> io::Result<()> {
    let base = message.as_ptr().cast_mut().cast();
    let mut part = libc::iovec { iov_base: base, iov_len: message.len() };
    let mut control = Control([0; ROOM]);
    let header = control.header(&mut part);
    // SAFETY: the room is that of one message, which the header says.
    let first = unsafe { libc::CMSG_FIRSTHDR(&header) };
    // SAFETY: a computation.
    let length = unsafe { libc::CMSG_LEN(size_of::<libc::ucred>() as u32) };
    // SAFETY: there is room for a header, aligned for one, that nobody else refers to.
    if let Some(message) = unsafe { first.as_mut() } {
        message.cmsg_level = libc::SOL_SOCKET;
        message.cmsg_type = libc::SCM_CREDENTIALS;
        message.cmsg_len = length as _;
        let named = libc::ucred { pid: sender.pid, uid: sender.uid, gid: sender.gid };
        // SAFETY: the address behind a header in the room.
        let data = unsafe { libc::CMSG_DATA(first) };
        // SAFETY: there is room for the credentials behind it.
        unsafe { data.cast::<libc::ucred>().write_unaligned(named) };
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the header leads to a readable message and to readable room, each of its length.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &header, flags) };
    if sent == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
