//! The C library's own connection to syslogd, for a process that locks itself in.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// Where the C libraries connect to.
const KNOWN: [&str; 4] =
    ["/dev/log", "/run/systemd/journal/dev-log", "/var/run/log", "/var/run/logpriv"];

/// Has the C library connect to syslogd now, with `LOG_NDELAY`, and returns the number of its descriptor. To be called
/// while no other thread opens or closes anything.
///
/// # Errors
/// `NotConnected` if nobody listens, or the C library keeps no socket.
///
/// # References
/// openlog(3)
pub fn open(name: &str) -> io::Result<RawFd> {
    // The C library keeps the address.
    let name: &'static CStr = Box::leak(CString::new(name)?.into_boxed_c_str());
    // SAFETY: no arguments; an earlier connection would stand under a number that nobody knows.
    unsafe { libc::closelog() };
    let next = std::fs::File::open("/dev/null")?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&next);
    drop(next);
    // SAFETY: the name lives for ever.
    unsafe { libc::openlog(name.as_ptr(), libc::LOG_NDELAY | libc::LOG_PID, libc::LOG_DAEMON) };
    if is_connection(number) { Ok(number) } else { Err(io::ErrorKind::NotConnected.into()) }
}

/// Whether a descriptor is a connection to a syslogd.
fn is_connection(number: RawFd) -> bool {
    if !crate::descriptors::is_open(number) {
        return false;
    }
    // SAFETY: it is open, and nobody closes it meanwhile, as `open` asks for.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    let Ok(copy) = fd.try_clone_to_owned() else { return false };
    let peer = UnixDatagram::from(copy).peer_addr();
    peer.is_ok_and(|peer| {
        peer.as_pathname().is_some_and(|path| KNOWN.iter().any(|known| path == Path::new(known)))
    })
}

/// Logs one message by syslog(3). `priority` is a level from 0, `LOG_EMERG`, to 7, `LOG_DEBUG`, or that and a
/// facility. A NUL byte ends the message.
///
/// # References
/// syslog(3)
pub fn log(priority: i32, message: &str) {
    let text = message.split('\0').next().unwrap_or_default();
    let Ok(text) = CString::new(text) else { return };
    // SAFETY: a format that reads one string, and one that ends.
    unsafe { libc::syslog(priority, c"%s".as_ptr(), text.as_ptr()) };
}

/// Has the C library read the time zone now.
///
/// # References
/// tzset(3)
pub fn set_time_zone() {
    unsafe extern "C" {
        fn tzset();
    }
    // SAFETY: no arguments; it reads the environment, which nobody changes meanwhile.
    unsafe { tzset() };
}
