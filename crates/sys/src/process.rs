//! Other processes by their pid: waiting for them, signalling them.

use std::fmt;
use std::io;

use isol_core::Uid;

/// A process id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(libc::pid_t);

impl Pid {
    /// A pid by its number.
    #[must_use]
    pub const fn new(pid: i32) -> Self {
        Self(pid)
    }

    /// This process's.
    #[must_use]
    pub fn own() -> Self {
        // SAFETY: no arguments, cannot fail.
        Self(unsafe { libc::getpid() })
    }

    /// The parent's. Async-signal-safe.
    #[must_use]
    pub fn parent() -> Self {
        // SAFETY: no arguments, cannot fail.
        Self(unsafe { libc::getppid() })
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a child ended, or that it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It ended with this status.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
    /// This signal stopped it; it is still there.
    Stopped(i32),
    /// It goes on after a stop.
    Continued,
}

impl Status {
    /// The exit status that a command reports for it: 128+N for a signal.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Status::Exited(code) => code,
            Status::Signalled(signal) | Status::Stopped(signal) => 128 + signal,
            Status::Continued => 0,
        }
    }

    fn from_raw(raw: libc::c_int) -> Self {
        if libc::WIFEXITED(raw) {
            Status::Exited(libc::WEXITSTATUS(raw))
        } else if libc::WIFSTOPPED(raw) {
            Status::Stopped(libc::WSTOPSIG(raw))
        } else if libc::WIFSIGNALED(raw) {
            Status::Signalled(libc::WTERMSIG(raw))
        } else {
            Status::Continued
        }
    }
}

/// Waits until a child has ended.
///
/// # Errors
/// As waitpid(2). `EINTR` is tried again.
///
/// # References
/// waitpid(2)
pub fn wait(pid: Pid) -> io::Result<Status> {
    wait_with(pid, 0).map(|status| status.expect("waitpid without WNOHANG answers"))
}

/// What has become of a child by now; `None` if nothing has.
///
/// # Errors
/// As waitpid(2).
pub fn poll(pid: Pid) -> io::Result<Option<Status>> {
    wait_with(pid, libc::WNOHANG)
}

/// As [`poll`], and a stop and a continuation are told too.
///
/// # Errors
/// As waitpid(2).
pub fn poll_stops(pid: Pid) -> io::Result<Option<Status>> {
    wait_with(pid, libc::WNOHANG | libc::WUNTRACED)
}

fn wait_with(pid: Pid, options: libc::c_int) -> io::Result<Option<Status>> {
    loop {
        let mut raw = 0;
        // SAFETY: the status is writable for the call.
        match unsafe { libc::waitpid(pid.0, &mut raw, options) } {
            0 => return Ok(None),
            -1 => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            _ => return Ok(Some(Status::from_raw(raw))),
        }
    }
}

/// Sends a signal to a process.
///
/// # Errors
/// As kill(2).
///
/// # References
/// kill(2)
pub fn signal(pid: Pid, signal: i32) -> io::Result<()> {
    send(pid.0, signal)
}

/// Sends a signal to every process of a group.
///
/// # Errors
/// As kill(2).
pub fn signal_group(leader: Pid, signal: i32) -> io::Result<()> {
    send(-leader.0, signal)
}

fn send(to: libc::pid_t, signal: i32) -> io::Result<()> {
    // SAFETY: takes two numbers.
    if unsafe { libc::kill(to, signal) } == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Kills every process that runs under a uid, in one system call that none of them
/// can outrun by forking. For uids that nobody else uses: never for root's.
///
/// # Errors
/// As fork(2); the kill itself can only find nobody.
///
/// # References
/// kill(2): pid -1 is every process that the caller may signal
pub fn kill_all_of(uid: Uid) -> io::Result<()> {
    if uid.is_root() {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let mut child = || {
        if crate::ids::set_uid(uid, isol_core::ThreadScope::Alone).is_err()
            || !crate::ids::uid_is(uid)
            || !is_without_capabilities()
        {
            return 1;
        }
        // SAFETY: takes two numbers. This process has the uid and nothing else by now.
        unsafe { libc::kill(-1, libc::SIGKILL) };
        0
    };
    let pid = crate::spawn::child(crate::spawn::Table::Shared, &mut child)?;
    match wait(pid)? {
        // FreeBSD's kill(-1) spares the caller, and so does Linux's; macOS's may not.
        Status::Exited(0) | Status::Signalled(libc::SIGKILL) => Ok(()),
        _ => Err(io::Error::from_raw_os_error(libc::EPERM)),
    }
}

/// Gives up what may have outlasted the change of the uid: a caller's
/// `SECBIT_NO_SETUID_FIXUP` keeps every capability, and with `CAP_KILL` -1 is everybody.
/// True as well where there are no capabilities.
fn is_without_capabilities() -> bool {
    let emptied = crate::privileges::empty_capabilities();
    let found = crate::privileges::capabilities_are_empty();
    found == Err(crate::errno::NOT_HERE) || (emptied.is_ok() && found == Ok(true))
}

/// What a process does when a signal arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// What the kernel does by itself.
    Default,
    /// Something of its own, or nothing.
    Own,
    /// This system doesn't tell.
    Unknown,
}

/// What a process does when a signal arrives.
///
/// # References
/// proc_pid_status(5): `SigIgn` and `SigCgt`
#[must_use]
pub fn disposition(pid: Pid, signal: i32) -> Disposition {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else {
        return Disposition::Unknown;
    };
    let mask = |field: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(field))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    match (mask("SigIgn:"), mask("SigCgt:")) {
        (Some(ignored), Some(caught)) if (ignored | caught) >> (signal - 1) & 1 == 1 => {
            Disposition::Own
        }
        (Some(_), Some(_)) => Disposition::Default,
        _ => Disposition::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn the_child_s_status_comes_back() {
        let pid = crate::spawn::child(crate::spawn::Table::Copied, &mut || 42).unwrap();
        assert_eq!(wait(pid).unwrap(), Status::Exited(42));
        assert_eq!(Status::Exited(42).code(), 42);
        assert_eq!(Status::Signalled(15).code(), 143);
    }

    #[test]
    fn nobody_kills_all_of_root() {
        assert!(kill_all_of(Uid::ROOT).is_err());
    }
}
