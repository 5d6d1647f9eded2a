//! A network namespace, which takes the kernel longer to make than all others together: a child of `spawn`'s makes it when
//! another process has taken its place already, which goes on meanwhile. By raw calls: both share errno.

use isol_core::Errno;

use super::Kinds;
use super::system::{join, leave};
use crate::errno::check;
use crate::mounts::Fd;
use crate::raw::call;
use crate::spawn::beside::{self, Seat};

const MAKING: &str = "making a network namespace";
const LOOPBACK: &str = "bringing the loopback up";
const MAKER: &str = "waiting for who makes the network namespace";

/// Above an errno: that it is the loopback's.
const AT_LOOPBACK: i32 = 1 << 16;
/// linux/sockios.h: a descriptor of the network namespace that a socket is in.
const SIOCGSKNS: usize = 0x894c;

/// Answers with the descriptor's number and 1 more, or with an errno below 0.
pub(super) extern "C" fn make(at: *mut libc::c_void) -> libc::c_int {
    // SAFETY: its seat, which is there for as long as this process is in this memory.
    let seat = unsafe { &*at.cast::<Seat>() };
    seat.say(made().map_or_else(|failed| -failed, |fd| fd + 1));
    0
}

/// A descriptor of a new one, closed on exec.
fn made() -> Result<i32, i32> {
    // SAFETY: takes a number.
    unsafe { call(libc::SYS_unshare, [libc::CLONE_NEWNET as usize, 0, 0, 0, 0]) }
        .map_err(|Errno(number)| number)?;
    let of_the_loopback = |Errno(number)| number | AT_LOOPBACK;
    let socket = Socket::new().map_err(of_the_loopback)?;
    socket.loopback_up().map_err(of_the_loopback)?;
    socket.namespace().map_err(|Errno(number)| number)
}

/// By raw calls.
struct Socket(usize);

impl Socket {
    fn new() -> Result<Self, Errno> {
        let kind = (libc::SOCK_DGRAM | libc::SOCK_CLOEXEC) as usize;
        // SAFETY: takes numbers.
        unsafe { call(libc::SYS_socket, [libc::AF_INET as usize, kind, 0, 0, 0]) }.map(Self)
    }

    fn loopback_up(&self) -> Result<(), Errno> {
        // SAFETY: all-zero bytes are a valid `ifreq`.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        let at = (&raw const request).addr();
        // SAFETY: the request is readable for the call, and its name ends with a NUL byte.
        unsafe { call(libc::SYS_ioctl, [self.0, libc::SIOCSIFFLAGS as usize, at, 0, 0]) }.map(drop)
    }

    /// A descriptor of the one that it is in.
    fn namespace(&self) -> Result<i32, Errno> {
        // SAFETY: takes numbers.
        unsafe { call(libc::SYS_ioctl, [self.0, SIOCGSKNS, 0, 0, 0]) }.map(|fd| fd as i32)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: opened above, closed once.
        let _ = unsafe { call(libc::SYS_close, [self.0, 0, 0, 0, 0]) };
    }
}

pub(super) fn identity() -> Result<u64, Errno> {
    let fd = Fd(Socket::new()?.namespace()?);
    // SAFETY: all-zero bytes are a valid `stat`, which is writable for the call.
    let mut found: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    check(unsafe { libc::fstat(fd.get(), &mut found) }).map(|_| found.st_ino)
}

pub(super) fn enter() -> Result<(), (Errno, &'static str)> {
    match beside::own().map(beside::Beside::child).filter(|seat| !seat.is_empty()) {
        Some(seat) => enter_made(seat),
        None => {
            leave(Kinds::NET).map_err(|errno| (errno, MAKING))?;
            Socket::new().and_then(|socket| socket.loopback_up()).map_err(|errno| (errno, LOOPBACK))
        }
    }
}

fn enter_made(seat: &Seat) -> Result<(), (Errno, &'static str)> {
    match seat.answered() {
        Some(fd @ 1..) => {
            let fd = Fd(fd - 1);
            join(fd.get(), Kinds::NET).map_err(|errno| (errno, MAKING))
        }
        Some(failed) if -failed & AT_LOOPBACK != 0 => {
            Err((Errno(-failed & !AT_LOOPBACK), LOOPBACK))
        }
        Some(failed) => Err((Errno(-failed), MAKING)),
        None => Err((Errno(libc::ESRCH), MAKER)),
    }
}
