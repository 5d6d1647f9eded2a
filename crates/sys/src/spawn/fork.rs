//! Systems where a child that shares its parent's memory is not safe in a process
//! with threads: fork(2), after which only async-signal-safe calls are made.

use std::io;

use crate::process::Pid;

use super::{Stays, Table};

pub(super) const PARENT_GOES_ON: bool = true;

/// Nobody is, here.
pub(super) fn made_by_the_child() -> super::Made {
    super::Made::default()
}

pub(super) fn child(
    _table: Table,
    _stays: Stays,
    child: &mut dyn FnMut() -> i32,
) -> io::Result<Pid> {
    // SAFETY: the child runs `child`, which is async-signal-safe by `super::child`'s contract, with all signals blocked,
    // and ends.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => crate::exec::end(child()),
        pid => Ok(Pid::new(pid)),
    }
}
