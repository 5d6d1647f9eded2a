//! A program that was started.

use std::fs::File;
use std::io;

use isol_sys::filter::Refusals;
use isol_sys::process::{self, Pid, Status};

/// A program that was started.
#[derive(Debug)]
pub struct Child {
    pub(super) pid: Pid,
    /// The init of its pid namespace, which ends behind it.
    pub(super) init: Option<Pid>,
    pub(super) ended: Option<Status>,
    /// The other ends of its standard descriptors that are pipes.
    pub pipes: [Option<File>; 3],
    /// What it is refused, where the plan has somebody told of it. While this is there, each such call waits until it
    /// is taken from here; when it is dropped, they are answered `ENOSYS`.
    pub refusals: Option<Refusals>,
}

impl Child {
    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// As waitpid(2).
    pub fn wait(&mut self) -> io::Result<Status> {
        self.pipes[0] = None;
        match self.ended {
            Some(status) => Ok(status),
            None => {
                let status = process::wait(self.pid)?;
                self.has_ended(status);
                Ok(status)
            }
        }
    }

    /// What has become of it by now, a stop included; `None` if nothing has.
    ///
    /// # Errors
    /// As waitpid(2).
    pub fn poll(&mut self) -> io::Result<Option<Status>> {
        if self.ended.is_some() {
            return Ok(self.ended);
        }
        let status = process::poll_stops(self.pid)?;
        if let Some(ended @ (Status::Exited(_) | Status::Signalled(_))) = status {
            self.has_ended(ended);
        }
        Ok(status)
    }

    /// With the init ends everything that the program has left in its pid namespace; the kernel says that it has ended
    /// when all of that is gone.
    fn has_ended(&mut self, status: Status) {
        self.ended = Some(status);
        end_init(self.init.take());
    }

    /// Sends it a signal, if it has not ended.
    ///
    /// # Errors
    /// As kill(2).
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        if self.ended.is_some() { Ok(()) } else { process::signal(self.pid, signal) }
    }
}

pub(super) const SIGKILL: i32 = 9;

pub(super) fn end_init(init: Option<Pid>) {
    // It ends by itself when the program has. If it has been waited for, by whoever, its number is nobody's or another's.
    if let Some(init) = init
        && matches!(process::poll(init), Ok(None))
    {
        let _ = process::signal(init, SIGKILL);
        let _ = process::wait(init);
    }
}
