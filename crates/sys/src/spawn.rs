//! A child process that runs a closure and then becomes another program or ends.

use std::io;

use crate::process::{self, Pid};
use crate::signals;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "spawn/beside.rs"]
        pub(crate) mod beside;
        #[path = "spawn/vfork.rs"]
        mod system;
    } else {
        #[path = "spawn/fork.rs"]
        mod system;
    }
}

/// Whether the calling thread goes on while the child runs its closure. Where it does not, the child must not
/// wait for it, and what the closure writes to memory is there when [`child`] returns.
pub const PARENT_GOES_ON: bool = system::PARENT_GOES_ON;

/// Whose table of descriptors the child begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// A copy of the parent's. What it costs grows with the number of open descriptors.
    Copied,
    /// The parent's own, where the system can do that, until the child calls
    /// [`part_from_parent`](crate::descriptors::part_from_parent) or execve(2). Before that the closure
    /// must open, close and duplicate nothing.
    Shared,
}

/// How long a child is the one that its parent waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// To its end, or until it has become another program.
    ToTheEnd,
    /// Until another takes its place, as an init's making does: see [`Made::successor`]. It ends then, and whoever waits
    /// for it is not woken by that.
    UntilReplaced,
}

/// Starts a child that runs `child` and ends with the status that it returns, if it
/// returns; returns once the child has ended or become another program, or earlier.
///
/// On Linux the child shares this process's memory and runs on a stack of its own,
/// while the calling thread waits: what it costs does not grow with that memory. Elsewhere
/// it has a copy. All signals are blocked in the child when it starts.
///
/// # The closure
///
/// It must be async-signal-safe: it makes system calls on what was laid ready before,
/// allocates nothing, takes no lock and does not panic (a panic ends the child by
/// `SIGABRT`). What it writes to memory, the parent sees on Linux and not elsewhere.
///
/// # Errors
/// As clone(2) or fork(2).
///
/// # References
/// clone(2), vfork(2), fork(2)
pub fn child(table: Table, child: &mut dyn FnMut() -> i32) -> io::Result<Pid> {
    child_that(Stays::ToTheEnd, table, child)
}

/// As [`child`], of a child that stays as long.
///
/// # Errors
/// The same.
///
/// # References
/// The same, and set_tid_address(2), futex(2)
pub fn child_that(stays: Stays, table: Table, child: &mut dyn FnMut() -> i32) -> io::Result<Pid> {
    // A handler that ran in the child would run on the parent's memory, or write to what both share, a pipe say.
    let mask = signals::block_all()?;
    let made = system::child(table, stays, child);
    if let Err(errno) = signals::restore(&mask) {
        // The caller is told that there is no child, so that nobody would look after this one, or whom it has made.
        let Made { beside, successor, .. } = made_by_the_child();
        // An init last: it is there until those in its namespace have been waited for.
        let all = made.ok().map(|child| [Some(child), successor, beside]);
        for pid in all.into_iter().flatten().flatten() {
            let _ = process::signal(pid, libc::SIGKILL);
            let _ = process::wait(pid);
        }
        return Err(errno.into());
    }
    made
}

/// Two other children of this process, which a child of its has made, whatever became of that one: the kernel has
/// written it down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// One beside itself.
    pub beside: Option<Pid>,
    /// One that has taken its place.
    pub successor: Option<Pid>,
    /// What kept the first from becoming what it was made for: see [`why_no_init`](crate::namespaces::why_no_init).
    pub failed: Option<i32>,
}

/// Who was made by the last child that this thread has started by [`child`]. They are known though the child was killed at
/// it.
#[must_use]
pub fn made_by_the_child() -> Made {
    system::made_by_the_child()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::process::{Status, wait};

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn threads_that_allocate_and_lock_start_children_at_once_and_lose_none() {
        let shelf = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..20 {
                let shelf = &shelf;
                scope.spawn(move || {
                    for round in 0..50 {
                        shelf.lock().unwrap().push(vec![thread; 100]);
                        let (mut written, wanted) = (-1, thread * 50 + round);
                        let made = child(Table::Shared, &mut || {
                            written = wanted;
                            wanted % 100
                        });
                        // What it wrote is there before it has been waited for, where this thread stood still.
                        assert!(PARENT_GOES_ON || written == wanted);
                        assert_eq!(wait(made.unwrap()).unwrap(), Status::Exited(wanted % 100));
                        shelf.lock().unwrap().pop();
                    }
                });
            }
        });
        assert!(shelf.into_inner().unwrap().is_empty());
    }
}
