//! The init of a pid namespace: pid 1 inside.

use std::os::fd::RawFd;

use crate::exec::end;

/// What it watches: who made it, and by what it says that it can't be looked into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    /// A descriptor of the process with which it ends.
    pub(super) guardian: RawFd,
    /// One byte goes here.
    pub(super) ready: RawFd,
}

/// Is the init. It has nothing to do: the kernel waits for its children, because it ignores their ends, and kills
/// everything in the namespace when it ends.
pub(super) fn run(watch: Watch) -> ! {
    match shut(watch) {
        Ok(()) => wait_for_the_end(watch.guardian),
        Err(()) => end(1),
    }
}

fn shut(watch: Watch) -> Result<(), ()> {
    let must = |done: libc::c_int| if done == -1 { Err(()) } else { Ok(()) };
    // SAFETY: takes numbers. Before anything else runs inside: the memory is a copy of the caller's.
    must(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) })?;
    // SAFETY: the name is a NUL-terminated literal.
    must(unsafe { libc::prctl(libc::PR_SET_NAME, c"isol-init".as_ptr(), 0, 0, 0) })?;
    crate::signals::block_all().map_err(drop)?;
    // SAFETY: ignoring runs no handler.
    if unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) } == libc::SIG_ERR {
        return Err(());
    }
    // Its working directory moves with the root when the root is exchanged.
    crate::chroot::change_directory(c"/").map_err(drop)?;
    let (low, high) = (watch.guardian.min(watch.ready), watch.guardian.max(watch.ready));
    for (first, last) in [(0, low - 1), (low + 1, high - 1), (high + 1, RawFd::MAX)] {
        crate::descriptors::close_between(first, last).map_err(drop)?;
    }
    crate::privileges::empty_capabilities().map_err(drop)?;
    crate::pipe::write_record(watch.ready, b"r").map_err(drop)?;
    // SAFETY: opened for this process, closed once.
    must(unsafe { libc::close(watch.ready) })
}

fn wait_for_the_end(guardian: RawFd) -> ! {
    let mut watched = libc::pollfd { fd: guardian, events: libc::POLLIN, revents: 0 };
    loop {
        // SAFETY: one structure is writable for the call. No signal is delivered: all are blocked.
        let found = unsafe { libc::poll(&mut watched, 1, -1) };
        if found > 0 || (found == -1 && crate::errno::last().0 != libc::EINTR) {
            end(0);
        }
    }
}
