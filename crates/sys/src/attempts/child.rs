//! Children that are whole processes, made by fork(2).

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::exec::end;
use crate::process::{Pid, Status, signal};

/// How a child ended, and what it said.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What it said.
    pub said: Vec<u8>,
    /// How it ended; `None` for one that did not, and was killed.
    pub status: Option<Status>,
    /// Whether it left a core dump.
    pub core: bool,
}

/// Starts a child that is a copy of this process, does something, and ends with the status that it returns.
/// Only in a process with one thread.
///
/// # Errors
/// As fork(2).
///
/// # References
/// fork(2)
pub fn fork(child: &mut dyn FnMut() -> i32) -> io::Result<Pid> {
    // SAFETY: the process has one thread, by this function's contract, so that the child may do what any
    // process may; it ends without running what the parent has registered.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => end(catch_unwind(AssertUnwindSafe(child)).unwrap_or(101)),
        pid => Ok(Pid::new(pid)),
    }
}

/// Waits for the end of a child; true if it left a core dump.
///
/// # Errors
/// As waitpid(2).
pub fn reap(pid: Pid) -> io::Result<(Status, bool)> {
    loop {
        let mut raw = 0;
        // SAFETY: the status is writable for the call.
        if unsafe { libc::waitpid(pid.get(), &mut raw, 0) } != -1 {
            let status = if libc::WIFEXITED(raw) {
                Status::Exited(libc::WEXITSTATUS(raw))
            } else {
                Status::Signalled(libc::WTERMSIG(raw))
            };
            return Ok((status, libc::WIFSIGNALED(raw) && libc::WCOREDUMP(raw)));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Whether this process has children that are still there when the patience is over; those that end are waited for.
///
/// # Errors
/// As waitpid(2).
pub fn has_children(patience: Duration) -> io::Result<bool> {
    let until = Instant::now() + patience;
    loop {
        let mut raw = 0;
        // SAFETY: the status is writable for the call.
        match unsafe { libc::waitpid(-1, &mut raw, libc::WNOHANG) } {
            -1 => {
                let error = io::Error::last_os_error();
                match error.raw_os_error() {
                    Some(libc::ECHILD) => return Ok(false),
                    Some(libc::EINTR) => {}
                    _ => return Err(error),
                }
            }
            0 if Instant::now() >= until => return Ok(true),
            0 => std::thread::sleep(Duration::from_millis(2)),
            _ => {}
        }
    }
}

/// Does something in a child and returns what it says; one that takes too long is killed. Only in a process
/// with one thread.
///
/// # Errors
/// As fork(2), pipe(2) and waitpid(2).
pub fn in_a_child(patience: Duration, work: &mut dyn FnMut() -> Vec<u8>) -> io::Result<Ended> {
    let (mut read, write) = io::pipe()?;
    let mut write = Some(write);
    let pid = fork(&mut || {
        let said = work();
        let told = write.take().map(|mut write| write.write_all(&said));
        i32::from(!matches!(told, Some(Ok(()))))
    })?;
    drop(write.take());
    let (said, in_time) = listen(&mut read, patience)?;
    if !in_time {
        signal(pid, libc::SIGKILL)?;
    }
    let (status, core) = reap(pid)?;
    Ok(Ended { said, status: in_time.then_some(status), core })
}

/// All that comes until the end; false if that did not come in time.
fn listen(read: &mut io::PipeReader, patience: Duration) -> io::Result<(Vec<u8>, bool)> {
    let until = Instant::now() + patience;
    let (mut said, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let wait = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(read.as_fd(), PollFlags::POLLIN)], wait) {
            Ok(0) => return Ok((said, false)),
            Ok(_) => match read.read(&mut part)? {
                0 => return Ok((said, true)),
                count => said.extend_from_slice(&part[..count]),
            },
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn what_a_child_says_comes_back() {
        let ended = in_a_child(Duration::from_secs(10), &mut || b"here".to_vec()).unwrap();
        assert_eq!((ended.said.as_slice(), ended.status), (&b"here"[..], Some(Status::Exited(0))));
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn one_that_hangs_is_killed() {
        let ended = in_a_child(Duration::from_millis(50), &mut || loop {
            std::thread::sleep(Duration::from_secs(1));
        });
        assert_eq!(ended.unwrap().status, None);
    }
}
