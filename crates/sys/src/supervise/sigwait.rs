//! Systems without sigtimedwait(2): sigwait(2), and short sleeps where there is a
//! time limit. Who sent a signal can't be told.

use std::io;
use std::time::{Duration, Instant};

use super::Arrival;

pub(super) fn next(set: &libc::sigset_t, time: Option<Duration>) -> io::Result<Option<Arrival>> {
    let end = time.map(|t| Instant::now() + t);
    while let Some(end) = end {
        if any_pending(set)? {
            break;
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut signal = 0;
    // SAFETY: the set is readable and the number writable.
    match unsafe { libc::sigwait(set, &mut signal) } {
        0 => Ok(Some(Arrival { signal, from_kernel: false })),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

fn any_pending(set: &libc::sigset_t) -> io::Result<bool> {
    // SAFETY: all-zero bytes are a valid set.
    let mut pending: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is writable.
    if unsafe { libc::sigpending(&mut pending) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let is_in = |set: &libc::sigset_t, signal| {
        // SAFETY: the set is readable.
        unsafe { libc::sigismember(set, signal) == 1 }
    };
    Ok((1..32).any(|signal| is_in(set, signal) && is_in(&pending, signal)))
}
