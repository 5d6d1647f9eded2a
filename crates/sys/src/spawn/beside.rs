//! A process that a child makes beside itself, in the same memory, and does not wait for.
//!
//! It has a place of its own above the child's stack: what it runs on, and what it is given and answers. The thread that
//! waits for the child waits for it too: until then the place is its.

use std::cell::Cell;
use std::sync::atomic::{AtomicI32, Ordering};

use isol_core::Errno;

use crate::errno::check;

/// How large a place is. What runs there makes a few system calls.
pub(super) const ROOM: usize = 32 * 1024;

/// At the upper end of it.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Beside {
    /// Not 0 for as long as it uses this memory: the kernel clears it when that is over.
    here: AtomicI32,
    /// Its pid, or 0: written by the kernel before it runs.
    pid: AtomicI32,
    /// That of who has taken the child's place, or 0: written by the kernel, too.
    successor: AtomicI32,
    /// What it was not able to do: an errno, or 0.
    pub(crate) failed: AtomicI32,
    /// A descriptor by which the child will hear of it, or -1: for the child alone.
    pub(crate) heard_by: AtomicI32,
    /// What it is given.
    pub(crate) words: [i32; 3],
    run: Option<Run>,
}

/// What it runs; what this returns is its status.
pub(crate) type Run = extern "C" fn(*mut libc::c_void) -> libc::c_int;

thread_local! {
    /// That of the child which this thread waits for. The child, which shares this thread's locals, finds it here.
    static PLACE: Cell<Option<*mut Beside>> = const { Cell::new(None) };
}

thread_local! {
    /// Who was there at the end of the last one of this thread's.
    static MADE: Cell<(i32, i32)> = const { Cell::new((0, 0)) };
}

/// The pids of who the last child of this thread has made beside itself, and of who has taken its place: 0 for none. What
/// became of the child does not matter: the kernel has written them down.
pub(super) fn made() -> (i32, i32) {
    MADE.get()
}

/// Where the pid of who takes this child's place is to be written.
pub(crate) fn successor() -> Option<*mut libc::c_int> {
    own().map(|beside| beside.successor.as_ptr())
}

/// While this is there the child has a place.
pub(super) struct Place {
    at: *mut Beside,
    before: Option<*mut Beside>,
}

impl Place {
    /// # Safety
    /// `end` must be the end of [`ROOM`] writable bytes that nobody uses, page-aligned, and be there as long as this.
    pub(super) unsafe fn new(end: *mut libc::c_void) -> Self {
        let at = end.cast::<Beside>().wrapping_sub(1);
        let zero = AtomicI32::default;
        let empty = Beside {
            here: zero(),
            pid: zero(),
            successor: zero(),
            failed: zero(),
            heard_by: AtomicI32::new(-1),
            words: [0; 3],
            run: None,
        };
        // SAFETY: writable and nobody's, by the contract; its alignment divides a page's, and its size is a multiple of it.
        unsafe { at.write(empty) };
        Self { at, before: PLACE.replace(Some(at)) }
    }

    /// Waits until nobody uses it any more.
    pub(super) fn wait(&self) {
        // SAFETY: made in `new`; only atomic cells in it are written to meanwhile.
        let beside = unsafe { &*self.at };
        while beside.here.load(Ordering::Acquire) != 0 && !has_ended(&beside.pid) {
            let soon = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
            let cell = beside.here.as_ptr();
            // SAFETY: the cell is readable, and the time is, for the call.
            unsafe { libc::syscall(libc::SYS_futex, cell, libc::FUTEX_WAIT, 1, &raw const soon) };
        }
    }
}

/// One that was ended in a way that the kernel does not clear for: before it has asked for it, or by a signal that asks for
/// a core dump.
fn has_ended(pid: &AtomicI32) -> bool {
    let pid = pid.load(Ordering::Acquire);
    // SAFETY: all-zero bytes are a valid `siginfo_t`.
    let mut found: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let how = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the structure is writable for the call. It stays waitable.
    let asked = check(unsafe { libc::waitid(libc::P_PID, pid as libc::id_t, &mut found, how) });
    // SAFETY: filled in, or still zero.
    asked.is_err() || unsafe { found.si_pid() } != 0
}

impl Drop for Place {
    fn drop(&mut self) {
        PLACE.set(self.before);
        // SAFETY: made in `new`, and nobody else's by now.
        let beside = unsafe { &*self.at };
        let pid = |cell: &AtomicI32| cell.load(Ordering::Acquire);
        MADE.set((pid(&beside.pid), pid(&beside.successor)));
    }
}

/// The place of this child; `None` in any other process.
fn place() -> Option<*mut Beside> {
    PLACE.try_with(Cell::get).ok().flatten()
}

/// Makes the process, a child of this one's or, with `CLONE_PARENT` in the flags, of its parent's, and goes on; its pid.
/// `None` in a process that has no place for it. All signals are blocked in it. Async-signal-safe, as `run` has to be,
/// which is given the address of a [`Beside`]. It shares errno with this process.
pub(crate) fn make(flags: libc::c_int, run: Run, words: [i32; 3]) -> Option<Result<i32, Errno>> {
    let at = place()?;
    Some(begin(at, flags, run, words))
}

fn begin(at: *mut Beside, flags: libc::c_int, run: Run, words: [i32; 3]) -> Result<i32, Errno> {
    // SAFETY: `Place` has made it; nobody else runs here yet.
    let beside = unsafe { &mut *at };
    if *beside.here.get_mut() != 0 {
        return Err(Errno(libc::EBUSY));
    }
    beside.words = words;
    *beside.here.get_mut() = 1;
    let pid = beside.pid.as_ptr();
    beside.run = Some(run);
    let flags = flags | libc::CLONE_VM | libc::CLONE_PARENT_SETTID | libc::SIGCHLD;
    // A handler that ran in it would run on this memory.
    let mask = crate::signals::block_all()?;
    // SAFETY: the stack below `at` is its alone for as long as `here` says so, which `Place::wait` waits for before anybody
    // else can have it; signals are blocked, so that no handler runs in it. It reads and writes this memory by atomic
    // cells and by what was written before.
    let made = check(unsafe { libc::clone(start, at.cast(), flags, at.cast(), pid) });
    if made.is_err() {
        // SAFETY: as above; it was not made.
        unsafe { &*at }.here.store(0, Ordering::Release);
    }
    crate::signals::restore(&mask)?;
    made
}

/// Has the kernel clear `here`: by a flag of clone(2) musl does not let it.
extern "C" fn start(at: *mut libc::c_void) -> libc::c_int {
    // SAFETY: what `begin` gives, which is there for as long as `here` says that somebody is.
    let beside = unsafe { &*at.cast::<Beside>() };
    // SAFETY: the cell is there when the kernel writes to it, as above.
    unsafe { libc::syscall(libc::SYS_set_tid_address, beside.here.as_ptr()) };
    beside.run.map_or(1, |run| run(at))
}

/// That of this child; `None` in any other process.
pub(crate) fn own() -> Option<&'static Beside> {
    // SAFETY: it is there for as long as this child is in this memory, and the child can't be anywhere else; what is
    // written to it from now on are its atomic cells.
    place().map(|at| unsafe { &*at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Pid, Status, wait};
    use crate::spawn::{Table, child};

    extern "C" fn is_slow(at: *mut libc::c_void) -> libc::c_int {
        // SAFETY: what `make` gives.
        let beside = unsafe { &*at.cast::<Beside>() };
        let time = libc::timespec { tv_sec: 0, tv_nsec: 30_000_000 };
        // SAFETY: the time is readable, and nothing is asked for in return.
        unsafe { libc::nanosleep(&time, std::ptr::null_mut()) };
        beside.failed.store(beside.words[2], Ordering::Release);
        7
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn whoever_is_made_beside_a_child_is_waited_for_with_it() {
        for round in 1..4 {
            let (mut made, mut second, mut place_of_it) = (None, None, None);
            let first = child(Table::Copied, &mut || {
                made = make(libc::CLONE_PARENT, is_slow, [0, 0, round]);
                second = make(libc::CLONE_PARENT, is_slow, [0; 3]);
                place_of_it = place();
                9
            });
            // It is this thread's again, and kept: nobody else has it.
            // SAFETY: mapped as long as this thread runs.
            let beside = unsafe { &*place_of_it.expect("a child has one") };
            assert_eq!(beside.here.load(Ordering::Acquire), 0);
            assert_eq!(beside.failed.load(Ordering::Acquire), round, "it has come to its end");
            assert_eq!(second, Some(Err(Errno(libc::EBUSY))));
            assert_eq!(wait(first.unwrap()).unwrap(), Status::Exited(9));
            let made = made.unwrap().unwrap();
            assert_eq!(wait(Pid::new(made)).unwrap(), Status::Exited(7));
        }
        assert!(make(0, is_slow, [0; 3]).is_none(), "this process is nobody's child here");
    }
}
