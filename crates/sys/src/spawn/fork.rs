//! Systems where a child that shares its parent's memory is not safe in a process
//! with threads: fork(2), after which only async-signal-safe calls are made.

use std::io;

use crate::process::Pid;
use crate::signals;

use super::Table;

pub(super) const PARENT_GOES_ON: bool = true;

pub(super) fn child(_table: Table, child: &mut dyn FnMut() -> i32) -> io::Result<Pid> {
    // A handler that ran in the child would write to what the parent shares with it: the
    // pipe by which it tells itself of a signal, say.
    let mask = signals::block_all()?;
    // SAFETY: the child runs `child`, which is async-signal-safe by this module's
    // contract, and ends.
    let result = match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => crate::exec::end(child()),
        pid => Ok(Pid::new(pid)),
    };
    signals::restore(&mask)?;
    result
}
