//! What a syslog relay needs of the system: a socket that is made in an open directory, and messages that keep
//! their sender's credentials.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "syslog/linux.rs"]
        mod system;
    } else if #[cfg(target_os = "freebsd")] {
        #[path = "syslog/freebsd.rs"]
        mod system;
    } else {
        #[path = "syslog/none.rs"]
        mod system;
    }
}

mod client;
mod place;

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub use client::{log, open, set_time_zone};
pub use place::{Place, PlaceError};

/// The sender of a message, as the kernel vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Its pid, as this process would see it; 0 where it can't.
    pub pid: i32,
    /// Its uid.
    pub uid: u32,
    /// Its gid.
    pub gid: u32,
}

/// Takes the next message; its length, at most the buffer's, and its sender: always on Linux, and nowhere else.
/// Descriptors that come along are closed unseen.
///
/// # Errors
/// As recvmsg(2).
///
/// # References
/// recvmsg(2), unix(7)
pub fn receive(socket: &UnixDatagram, buffer: &mut [u8]) -> io::Result<(usize, Option<Sender>)> {
    system::receive(socket, buffer)
}

/// Sends a message as its sender, or, where that has ended or can't be named, as somebody of its uid and gid. Never
/// as this process: that is only for messages that have no sender, which are this process's own.
///
/// # Errors
/// As sendmsg(2); `WouldBlock` where there is no room, `EPERM` where the sender's uid and gid can't be named.
///
/// # References
/// sendmsg(2), unix(7)
pub fn send(socket: &UnixDatagram, message: &[u8], sender: Option<Sender>) -> io::Result<()> {
    match system::send(socket, message, sender) {
        // FreeBSD's word for no room.
        Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        other => other,
    }
}

/// A socket that is connected to whoever listens at `path`, and never blocks.
///
/// # Errors
/// As connect(2).
///
/// # References
/// connect(2)
pub fn connect(path: &std::path::Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    Ok(socket)
}

/// Waits until there is something to be read from one of two descriptors, or the other end of it is gone; which.
///
/// # Errors
/// As poll(2).
///
/// # References
/// poll(2)
pub fn wait(
    one: impl AsFd,
    other: impl AsFd,
    at_most: Option<Duration>,
) -> io::Result<(bool, bool)> {
    let mut both = [
        PollFd::new(one.as_fd(), PollFlags::POLLIN),
        PollFd::new(other.as_fd(), PollFlags::POLLIN),
    ];
    let time = at_most.map_or(PollTimeout::NONE, |time| {
        PollTimeout::try_from(time.as_millis()).unwrap_or(PollTimeout::MAX)
    });
    match poll(&mut both, time) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let is_ready = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| !events.is_empty());
    Ok((is_ready(&both[0]), is_ready(&both[1])))
}
