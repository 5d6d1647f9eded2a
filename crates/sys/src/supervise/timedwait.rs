//! Systems with sigtimedwait(2).

use std::io;
use std::time::Duration;

use super::Arrival;

pub(super) fn next(set: &libc::sigset_t, time: Option<Duration>) -> io::Result<Option<Arrival>> {
    // SAFETY: all-zero bytes are a valid `siginfo_t`.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let timeout = time.map(|t| libc::timespec {
        tv_sec: t.as_secs().min(i32::MAX as u64) as _,
        tv_nsec: t.subsec_nanos() as libc::c_long,
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the set is readable, the info writable, the time readable or null.
    let signal = unsafe { libc::sigtimedwait(set, &mut info, timeout) };
    if signal > 0 {
        return Ok(Some(Arrival { signal, from_kernel: info.si_code > 0 }));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::EINTR) => Ok(None),
        _ => Err(error),
    }
}
