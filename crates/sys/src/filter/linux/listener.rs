//! Calls that a filter refuses, told to somebody outside before they are answered.
//!
//! Whoever listens gives the answer. When it is gone, the kernel gives it: `ENOSYS`, so that no call is made then.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use isol_core::Errno;
use libc::{c_int, c_ulong, c_void};

use super::super::{Asked, Program, Told, Verdict};
use super::put;
use crate::errno::check;

/// Puts a filter in force that tells what it refuses, and sends the other side of `channel` a record, and with it the
/// descriptor by which it is told. Async-signal-safe.
///
/// # Errors
/// As [`super::install`] and sendmsg(2).
///
/// # References
/// seccomp_unotify(2), unix(7): `SCM_RIGHTS`
pub fn install_telling(program: &Program, channel: RawFd, record: &[u8]) -> Result<(), Errno> {
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // A call that waits for its answer is not begun anew by each signal. Before Linux 5.19 it is.
    let listener = match put(program, flags | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
        Err(Errno(libc::EINVAL)) => put(program, flags)?,
        answer => answer?,
    };
    // SAFETY: just made by the call, and nobody else's.
    let listener = unsafe { OwnedFd::from_raw_fd(listener as RawFd) };
    send_with(channel, record, &listener)
}

/// Room for one descriptor beside a message, aligned as its header wants it.
#[repr(C)]
union Control {
    _header: libc::cmsghdr,
    bytes: [u8; 64],
}

fn message(record: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: a structure of numbers and addresses, for which 0 is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = record;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut *control).cast();
    // SAFETY: computes with numbers.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(size_of::<c_int>() as u32) } as _;
    message
}

/// Writes a header and a descriptor to the room of a message.
fn put_descriptor(message: &libc::msghdr, descriptor: RawFd) {
    // SAFETY: the message leads to room for one header.
    let first = unsafe { libc::CMSG_FIRSTHDR(message) };
    // All zero: where it has padding, that is none of this process's memory.
    // SAFETY: a structure of numbers, for which 0 is a value.
    let mut header: libc::cmsghdr = unsafe { std::mem::zeroed() };
    header.cmsg_level = libc::SOL_SOCKET;
    header.cmsg_type = libc::SCM_RIGHTS;
    // SAFETY: computes with numbers.
    header.cmsg_len = unsafe { libc::CMSG_LEN(size_of::<c_int>() as u32) } as _;
    // SAFETY: the header lies in a `Control`, which is aligned for it and not used otherwise meanwhile.
    unsafe { first.write(header) };
    // By the address of the room, not by a reference to the header: what is behind it would be none of the reference's.
    // SAFETY: behind the header there is room for a descriptor, by `msg_controllen`.
    let data = unsafe { libc::CMSG_DATA(first) }.cast::<c_int>();
    // SAFETY: as above; it need not be aligned.
    unsafe { data.write_unaligned(descriptor) };
}

/// The descriptor in the room of a message that recvmsg has filled in.
fn descriptor_in(message: &libc::msghdr) -> Option<RawFd> {
    // SAFETY: the message is one that recvmsg has filled in.
    let first = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: null, or a header in a `Control`, which is aligned for it and not used otherwise meanwhile.
    let header = unsafe { first.as_ref() }?;
    // SAFETY: computes with numbers.
    let length = unsafe { libc::CMSG_LEN(size_of::<c_int>() as u32) } as usize;
    let is_one = (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS);
    if !is_one || (header.cmsg_len as usize) < length {
        return None;
    }
    // By the address of the room, as above.
    // SAFETY: the address behind a header in the room.
    let data = unsafe { libc::CMSG_DATA(first) }.cast::<c_int>();
    // SAFETY: there is a descriptor, as has just been seen; it need not be aligned.
    Some(unsafe { data.read_unaligned() })
}

fn send_with(channel: RawFd, record: &[u8], descriptor: &OwnedFd) -> Result<(), Errno> {
    let mut parts = libc::iovec {
        iov_base: record.as_ptr().cast_mut().cast::<c_void>(),
        iov_len: record.len(),
    };
    let mut control = Control { bytes: [0; 64] };
    let message = message(&mut parts, &mut control);
    put_descriptor(&message, descriptor.as_raw_fd());
    // SAFETY: the message, its record and its control data are there for the call.
    let sent = unsafe { libc::sendmsg(channel, &message, libc::MSG_NOSIGNAL) };
    match check(sent as c_int)? {
        count if count as usize == record.len() => Ok(()),
        _ => Err(Errno(libc::EIO)),
    }
}

/// Reads one record and, where one came with it, the descriptor of [`install_telling`]; `None` at the end.
///
/// # Errors
/// As recvmsg(2).
pub fn receive<const N: usize>(from: &File) -> io::Result<Option<([u8; N], Option<OwnedFd>)>> {
    let (mut record, mut place, mut descriptor) = ([0_u8; N], 0, None);
    while place < N {
        let rest = &mut record[place..];
        let mut parts =
            libc::iovec { iov_base: rest.as_mut_ptr().cast::<c_void>(), iov_len: rest.len() };
        let mut control = Control { bytes: [0; 64] };
        let mut message = message(&mut parts, &mut control);
        // SAFETY: the message, its buffer and the room for control data are there and writable for the call.
        let count =
            unsafe { libc::recvmsg(from.as_raw_fd(), &mut message, libc::MSG_CMSG_CLOEXEC) };
        match check(count as c_int) {
            Ok(0) => return Ok(None),
            Ok(count) => place += count as usize,
            Err(Errno(libc::EINTR)) => continue,
            Err(errno) => return Err(errno.into()),
        }
        if let Some(number) = descriptor_in(&message) {
            // SAFETY: the kernel has just made it for this process.
            descriptor = Some(unsafe { OwnedFd::from_raw_fd(number) });
        }
    }
    Ok(Some((record, descriptor)))
}

/// What a running program is refused, one by one. Each call waits until the next one is asked for; all that come when
/// this is gone are answered `ENOSYS`.
#[derive(Debug)]
pub struct Refusals {
    listener: OwnedFd,
    /// The filter as it was before it told anything.
    program: Program,
    /// The one that was told last: its number, its process, and what it is answered.
    unanswered: Option<(u64, u32, Verdict)>,
}

impl Refusals {
    /// What a descriptor tells, and the filter by which it is answered.
    #[must_use]
    pub fn new(listener: OwnedFd, program: Program) -> Self {
        Self { listener, program, unanswered: None }
    }

    fn hear(&mut self) -> io::Result<Option<Told>> {
        if let Some((id, process, verdict)) = self.unanswered.take() {
            match self.answer(id, process, verdict) {
                // It is gone meanwhile.
                Ok(()) | Err(Errno(libc::ENOENT | libc::ESRCH)) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        loop {
            if !self.wait()? {
                return Ok(None);
            }
            // SAFETY: a structure of numbers, for which 0 is a value, and the one that the kernel wants.
            let mut notice: libc::seccomp_notif = unsafe { std::mem::zeroed() };
            match self.control(libc::SECCOMP_IOCTL_NOTIF_RECV as c_ulong, (&raw mut notice).cast())
            {
                Ok(()) => {}
                // Whoever called is gone.
                Err(Errno(libc::EINTR | libc::ENOENT)) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let asked = Asked {
                number: notice.data.nr as u32,
                architecture: notice.data.arch,
                instruction_pointer: notice.data.instruction_pointer,
                arguments: notice.data.args,
            };
            let verdict = self.program.verdict(&asked);
            self.unanswered = Some((notice.id, notice.pid, verdict));
            let native = asked.architecture == Asked::here(0, [0; 6]).architecture;
            return Ok(Some(Told {
                call: super::name(asked.number).filter(|_| native),
                number: asked.number,
                foreign: !native,
                killed: verdict == Verdict::Killed,
            }));
        }
    }

    /// Waits until there is one; false if there can be none any more.
    fn wait(&self) -> io::Result<bool> {
        let mut poll = libc::pollfd {
            fd: self.listener.as_fd().as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        loop {
            // SAFETY: one structure, writable for the call.
            match check(unsafe { libc::poll(&mut poll, 1, -1) }) {
                Ok(_) => return Ok(poll.revents & libc::POLLIN != 0),
                Err(Errno(libc::EINTR)) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn answer(&self, mut id: u64, process: u32, verdict: Verdict) -> Result<(), Errno> {
        let errno = match verdict {
            Verdict::Errno(errno) => i32::from(errno),
            _ => libc::EPERM,
        };
        if verdict == Verdict::Killed {
            self.control(libc::SECCOMP_IOCTL_NOTIF_ID_VALID as c_ulong, (&raw mut id).cast())?;
            // It waits for its answer, so that its number is still its own.
            // SAFETY: takes two numbers.
            check(unsafe { libc::kill(process as i32, libc::SIGKILL) })?;
        }
        // SAFETY: a structure of numbers, for which 0 is a value.
        let mut answer: libc::seccomp_notif_resp = unsafe { std::mem::zeroed() };
        answer.id = id;
        answer.error = -errno;
        self.control(libc::SECCOMP_IOCTL_NOTIF_SEND as c_ulong, (&raw mut answer).cast())
    }

    fn control(&self, request: c_ulong, argument: *mut c_void) -> Result<(), Errno> {
        // SAFETY: each request of this file's comes with the structure that it takes.
        check(unsafe { libc::ioctl(self.listener.as_raw_fd(), request as _, argument) }).map(drop)
    }
}

/// Answers the last one as the filter says, and waits for the next; the end when nobody is left under the filter. Errors are
/// those of ioctl(2) and poll(2).
///
/// # References
/// seccomp_unotify(2)
impl Iterator for Refusals {
    type Item = io::Result<Told>;

    fn next(&mut self) -> Option<io::Result<Told>> {
        self.hear().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_found_where_it_was_put_and_nothing_else_is_one() {
        let mut parts = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
        let mut control = Control { bytes: [0; 64] };
        let mut message = message(&mut parts, &mut control);
        assert_eq!(descriptor_in(&message), None);
        put_descriptor(&message, 7);
        assert_eq!(descriptor_in(&message), Some(7));
        message.msg_controllen = 0;
        assert_eq!(descriptor_in(&message), None);
    }
}
