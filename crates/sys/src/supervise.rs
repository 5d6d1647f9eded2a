//! What a supervising parent needs: its signals one by one, in order, as data.

use std::io;
use std::time::Duration;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))] {
        #[path = "supervise/timedwait.rs"]
        mod system;
    } else {
        #[path = "supervise/sigwait.rs"]
        mod system;
    }
}

pub use libc::{SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP};

/// The signals that a supervisor passes on to its program.
pub const FORWARDED: [i32; 9] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGWINCH,
    libc::SIGCONT,
    libc::SIGTSTP,
];

/// A signal that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number.
    pub signal: i32,
    /// Whether the kernel sent it, as it does for a key on the terminal.
    pub from_kernel: bool,
}

/// [`FORWARDED`] and `SIGCHLD`, blocked so that none is lost while nobody waits.
#[derive(Debug)]
pub struct Signals {
    set: nix::sys::signal::SigSet,
}

impl Signals {
    /// Blocks them in this thread. Those that are made later inherit it.
    ///
    /// # Errors
    /// As pthread_sigmask(3).
    ///
    /// # References
    /// pthread_sigmask(3), sigaction(2)
    pub fn block() -> io::Result<Self> {
        let mut set = nix::sys::signal::SigSet::empty();
        for signal in FORWARDED.into_iter().chain([libc::SIGCHLD]) {
            set.add(nix::sys::signal::Signal::try_from(signal)?);
        }
        set.thread_block()?;
        // pthread_sigmask(3) gives back an error's number, which nix takes for success.
        let blocked = nix::sys::signal::SigSet::thread_get_mask()?;
        if !set.iter().all(|signal| blocked.contains(signal)) {
            return Err(io::Error::other("they are not blocked"));
        }
        // BSDs discard a signal that is ignored, blocked or not: by default, or because whoever started this process
        // ignored it, as nohup(1) does. And nobody waits for the children of a process that ignores SIGCHLD.
        for signal in FORWARDED.into_iter().chain([libc::SIGCHLD]) {
            keep(signal)?;
        }
        Ok(Self { set })
    }

    /// Waits for the next one; `None` when the time is over first.
    ///
    /// # Errors
    /// As sigtimedwait(2).
    ///
    /// # References
    /// sigtimedwait(2), sigwait(2)
    pub fn next(&self, time: Option<Duration>) -> io::Result<Option<Arrival>> {
        system::next(self.set.as_ref(), time)
    }
}

extern "C" fn nothing(_signal: libc::c_int) {}

/// Has a signal wait while it is blocked, though it would be ignored.
fn keep(signal: libc::c_int) -> io::Result<()> {
    let handler = nothing as extern "C" fn(libc::c_int);
    // SAFETY: the handler does nothing.
    let before = unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    if before == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Stops this process, as the terminal's stop key does; returns when it is continued.
///
/// # Errors
/// As kill(2).
pub fn stop_self() -> io::Result<()> {
    crate::process::signal(crate::process::Pid::own(), libc::SIGSTOP)
}

/// Ends this process by a signal, so that its parent sees that it was ended by one.
pub fn end_by(signal: i32) -> ! {
    // SAFETY: default disposition for a number; nothing is called.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    let _ = crate::signals::unblock_all();
    let _ = crate::process::signal(crate::process::Pid::own(), signal);
    crate::exec::end(128 + signal)
}
