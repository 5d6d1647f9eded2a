//! Linux: sockets by `/proc/self/fd`, credentials by SCM_CREDENTIALS.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use nix::errno::Errno;

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
    // The socket has SO_PASSCRED: a message without credentials would be one that nobody can be named for.
    Ok((length as usize, Some(sender(&header).unwrap_or(NOBODY))))
}

/// Whom no message can be sent as.
const NOBODY: Sender = Sender { pid: 0, uid: u32::MAX, gid: u32::MAX };

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
    Some(Sender { pid: found.pid, uid: found.uid, gid: found.gid })
}

pub(super) fn send(
    socket: &UnixDatagram,
    message: &[u8],
    sender: Option<Sender>,
) -> io::Result<()> {
    let Some(sender) = sender else { return socket.send(message).map(drop) };
    let own = std::process::id() as i32;
    // One that has ended has no pid any more (ESRCH), and one that this process can't see never had; without
    // CAP_SYS_ADMIN no other's can be named (EPERM). The uid and the gid stay the sender's: a message of somebody's
    // inside goes out as his, or not at all. An ordinary user can name nobody but himself, whose program it is.
    for pid in [sender.pid, own].into_iter().filter(|&pid| pid > 0) {
        let Err(error) = send_as(socket, message, Sender { pid, ..sender }) else { return Ok(()) };
        if !matches!(error.raw_os_error(), Some(libc::ESRCH | libc::EPERM | libc::EINVAL)) {
            return Err(error);
        }
    }
    match crate::ids::effective_uid() {
        0 => Err(Errno::EPERM.into()),
        _ => socket.send(message).map(drop),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: u32 = 65534;

    /// Sends as a sender, without the privilege to name others, as this uid; what arrives, and from whom.
    fn without_privilege(uid: u32, sender: Option<Sender>) -> (io::Result<()>, Option<Sender>) {
        let (from, to) = UnixDatagram::pair().unwrap();
        let on: libc::c_int = 1;
        let length = size_of::<libc::c_int>() as libc::socklen_t;
        let (level, option, value) = (libc::SOL_SOCKET, libc::SO_PASSCRED, (&raw const on).cast());
        // SAFETY: the option is a readable int, and its length is that of one.
        assert_eq!(unsafe { libc::setsockopt(to.as_raw_fd(), level, option, value, length) }, 0);
        // In a thread of its own: the calls themselves change no other thread's ids and capabilities.
        let sent = std::thread::spawn(move || {
            // SAFETY: takes three numbers. No other thread is changed.
            let _ = unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) };
            crate::privileges::empty_capabilities().unwrap();
            send(&from, b"<13>x", sender)
        });
        let sent = sent.join().unwrap();
        let got = receive(&to, &mut [0; 16]).ok();
        (sent, got.and_then(|(_, sender)| sender))
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn a_message_of_another_s_never_goes_out_as_root_s() {
        if crate::ids::effective_uid() != 0 {
            return;
        }
        let own = std::process::id() as i32;
        for other in
            [Sender { pid: own, uid: 5, gid: 5 }, Sender { pid: 0, uid: 5, gid: 5 }, NOBODY]
        {
            let (sent, got) = without_privilege(0, Some(other));
            assert_eq!(sent.unwrap_err().raw_os_error(), Some(libc::EPERM), "{other:?}");
            assert_eq!(got, None, "{other:?}");
            // Of an ordinary user's program it is his.
            let (sent, got) = without_privilege(OTHER, Some(other));
            sent.unwrap();
            assert_eq!(got.map(|sender| (sender.pid, sender.uid)), Some((own, OTHER)), "{other:?}");
        }
        let (sent, got) = without_privilege(OTHER, None);
        sent.unwrap();
        assert_eq!(got.map(|sender| sender.uid), Some(OTHER));
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn a_sender_that_has_ended_leaves_its_uid() {
        let (from, to) = UnixDatagram::pair().unwrap();
        let on: libc::c_int = 1;
        let length = size_of::<libc::c_int>() as libc::socklen_t;
        let (level, option, value) = (libc::SOL_SOCKET, libc::SO_PASSCRED, (&raw const on).cast());
        // SAFETY: the option is a readable int, and its length is that of one.
        assert_eq!(unsafe { libc::setsockopt(to.as_raw_fd(), level, option, value, length) }, 0);
        let (uid, gid) = (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
        let own = std::process::id() as i32;
        for pid in [i32::MAX, 0, own] {
            send(&from, b"x", Some(Sender { pid, uid, gid })).unwrap();
            let (_, sender) = receive(&to, &mut [0; 4]).unwrap();
            assert_eq!(sender, Some(Sender { pid: own, uid, gid }));
        }
    }
}
