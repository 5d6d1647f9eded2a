//! A process that a child makes beside itself, in the same memory, and does not wait for; and one that takes its place.
//!
//! The first has a place of its own above the child's stack: what it runs on, and what it is given and answers. The thread
//! that waits for the child waits for both too, until neither is in this memory any more.

use std::cell::Cell;
use std::sync::atomic::{AtomicI32, Ordering};

use isol_core::Errno;

use super::Made;
use crate::errno::check;
use crate::process::Pid;
use crate::raw;

/// How large a place is. What runs there makes a few system calls.
pub(super) const ROOM: usize = 32 * 1024;

/// Whether whoever takes a child's place does so in this memory. Where nobody has written how, the child makes calls of the C
/// library behind that, and its parent's thread has to be suspended until it has ended.
pub(crate) const CAN_BE_REPLACED: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// At the upper end of it.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Beside {
    /// Not 0 for as long as it uses this memory: the kernel clears it when that is over.
    here: AtomicI32,
    /// Its pid, or 0: written by the kernel before it runs.
    pid: AtomicI32,
    /// The same of the child, where its parent's thread waits for that and for nothing else, and of who has taken its
    /// place.
    child_here: AtomicI32,
    /// Who has taken the child's place.
    successor: AtomicI32,
    /// What it was not able to do, or 0: an errno in the lower half, and in the upper one what it is of, as whoever it runs for says.
    pub(crate) failed: AtomicI32,
    /// A descriptor by which the child will hear of it, or -1: for the child alone.
    pub(crate) heard_by: AtomicI32,
    /// What it is given.
    pub(crate) words: Cell<[i32; 4]>,
    run: Cell<Option<Run>>,
}

/// What it runs, by [`raw`] calls alone: it shares errno. What this returns is its status.
pub(crate) type Run = extern "C" fn(*mut libc::c_void) -> libc::c_int;

thread_local! {
    /// That of the child which this thread waits for. The child, which shares this thread's locals, finds it here.
    static PLACE: Cell<Option<*mut Beside>> = const { Cell::new(None) };
    /// By the last child of this thread's.
    static MADE: Cell<Made> =
        const { Cell::new(Made { beside: None, successor: None, failed: None }) };
}

pub(super) fn made() -> Made {
    MADE.get()
}

/// While this is there the child has a place.
pub(super) struct Place {
    at: *mut Beside,
    before: Option<*mut Beside>,
}

impl Place {
    /// With `child_here` the child has yet to say that it is in this memory no more: by [`clear_when_gone`].
    ///
    /// # Safety
    /// `end` must be the end of [`ROOM`] writable bytes that nobody uses, page-aligned, and be there as long as this.
    pub(super) unsafe fn new(end: *mut libc::c_void, child_here: bool) -> Self {
        let at = end.cast::<Beside>().wrapping_sub(1);
        let zero = AtomicI32::default;
        let empty = Beside {
            here: zero(),
            pid: zero(),
            child_here: AtomicI32::new(child_here.into()),
            successor: zero(),
            failed: zero(),
            heard_by: AtomicI32::new(-1),
            words: Cell::new([0; 4]),
            run: Cell::new(None),
        };
        // SAFETY: writable and nobody's, by the contract; its alignment divides a page's, and its size is a multiple of it.
        unsafe { at.write(empty) };
        Self { at, before: PLACE.replace(Some(at)) }
    }

    fn beside(&self) -> &Beside {
        // SAFETY: made in `new`; whoever writes to it meanwhile writes to atomic cells, or to what only the child and whom
        // it makes read.
        unsafe { &*self.at }
    }

    pub(super) fn child_here(&self) -> *mut libc::c_int {
        self.beside().child_here.as_ptr()
    }

    /// Waits until nobody but this thread uses this memory and the child's; false if somebody may for a while.
    ///
    /// Where the kernel has cleared both cells, as it has when a child has ended as it should, that is at once.
    pub(super) fn is_left(&self, child: Option<Pid>) -> bool {
        let Beside { here, pid, child_here, successor, .. } = self.beside();
        let Some(child) = child else { return true };
        loop {
            // The child is the last to leave as a rule, so that this thread wakes once.
            let cell = match (child_here.load(Ordering::Acquire), here.load(Ordering::Acquire)) {
                (0, 0) => return true,
                (0, _) => here,
                _ => child_here,
            };
            wait_a_while(cell);
            let is_over = |made: &AtomicI32| match made.load(Ordering::Acquire) {
                // As long as the child is there it may be about to make it, and it may have made it before it ended.
                0 => has_ended(child.get()) && made.load(Ordering::Acquire) == 0,
                made => has_ended(made),
            };
            // Killed before it has asked for its cell to be cleared.
            if here.load(Ordering::Acquire) != 0 && is_over(pid) {
                here.store(0, Ordering::Release);
            }
            if is_over(successor) {
                child_here.store(0, Ordering::Release);
                let init = pid.load(Ordering::Acquire);
                // The init of a namespace ends when all in it have been waited for, and that is this thread's affair.
                if here.load(Ordering::Acquire) != 0
                    && init > 0
                    && successor.load(Ordering::Acquire) != 0
                {
                    let signal = libc::SIGKILL as usize;
                    // SAFETY: takes two numbers; it has not been waited for.
                    let _ = unsafe { raw::call(libc::SYS_kill, [init as usize, signal, 0, 0, 0]) };
                    return false;
                }
            }
        }
    }
}

/// Until a cell is cleared, or for five milliseconds: longer than a start takes. Whoever shares this memory may read errno meanwhile.
fn wait_a_while(cell: &AtomicI32) {
    let soon = libc::timespec { tv_sec: 0, tv_nsec: 5_000_000 };
    let (at, time) = (cell.as_ptr().addr(), (&raw const soon).addr());
    // SAFETY: the cell is readable, and the time is, for the call.
    let _ = unsafe { raw::call(libc::SYS_futex, [at, libc::FUTEX_WAIT as usize, 1, time, 0]) };
}

/// It stays waitable. What can't be asked, for want of a right to, has not ended as far as anybody knows.
fn has_ended(pid: i32) -> bool {
    // SAFETY: all-zero bytes are a valid `siginfo_t`.
    let mut found: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let how = (libc::WEXITED | libc::WNOHANG | libc::WNOWAIT) as usize;
    let at = (&raw mut found).addr();
    // SAFETY: the structure is writable for the call.
    match unsafe { raw::call(libc::SYS_waitid, [libc::P_PID as usize, pid as usize, at, how, 0]) } {
        // SAFETY: filled in, or still zero.
        Ok(_) => (unsafe { found.si_pid() }) != 0,
        // Somebody else has waited for it.
        Err(errno) => errno == Errno(libc::ECHILD),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        PLACE.set(self.before);
        let number = |cell: &AtomicI32| Some(cell.load(Ordering::Acquire)).filter(|n| *n != 0);
        let Beside { pid, successor, failed, .. } = self.beside();
        MADE.set(Made {
            beside: number(pid).map(Pid::new),
            successor: number(successor).map(Pid::new),
            failed: number(failed),
        });
    }
}

/// That of this child; `None` in any other process.
pub(crate) fn own() -> Option<&'static Beside> {
    // SAFETY: it is there for as long as this child is in this memory, and the child can't be anywhere else; whoever else
    // writes to it meanwhile writes to atomic cells.
    PLACE.try_with(Cell::get).ok().flatten().map(|at| unsafe { &*at })
}

impl Beside {
    /// Makes the process, a child of this one's parent, and goes on; its pid. All signals are blocked in it. `run` is given
    /// the address of this. Async-signal-safe.
    pub(crate) fn make(&self, flags: libc::c_int, run: Run, words: [i32; 4]) -> Result<i32, Errno> {
        if self.here.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Err(Errno(libc::EBUSY));
        }
        self.words.set(words);
        self.run.set(Some(run));
        self.begin(flags)
    }

    fn begin(&self, flags: libc::c_int) -> Result<i32, Errno> {
        let flags =
            flags | libc::CLONE_PARENT | libc::CLONE_VM | libc::CLONE_PARENT_SETTID | libc::SIGCHLD;
        let (stack, pid) = ((&raw const *self).cast_mut().cast(), self.pid.as_ptr());
        // A handler that ran in it would run on this memory.
        let mask = crate::signals::block_all().inspect_err(|_| self.has_left())?;
        // SAFETY: the stack below this is its alone for as long as `here` says so, which `Place::is_left` waits for before
        // anybody else can have it; signals are blocked, so that no handler runs in it. It reads what was written before,
        // and writes to atomic cells.
        let made = check(unsafe { libc::clone(start, stack, flags, stack, pid) });
        let made = made.inspect_err(|_| self.has_left());
        // Even if this fails, whoever was made is there.
        crate::signals::restore(&mask)?;
        made
    }

    /// It was never made, or has said that it is another program by now.
    pub(crate) fn has_left(&self) {
        self.here.store(0, Ordering::Release);
    }

    /// Where the kernel is to write the pid of who takes this child's place, and what it clears when that one is in this
    /// memory no more: no longer when this child is.
    pub(crate) fn successor(&self) -> Result<[*mut libc::c_int; 2], Errno> {
        // SAFETY: takes an address to clear, and this is none.
        unsafe { clear_when_gone(std::ptr::null_mut()) }?;
        self.child_here.store(1, Ordering::Release);
        Ok([self.successor.as_ptr(), self.child_here.as_ptr()])
    }

    /// There is none: it is this child that is here. That of a failure is found by its parent's thread, later.
    pub(crate) fn no_successor(&self) {
        // SAFETY: the cell is there for as long as this child is in this memory.
        let _ = unsafe { clear_when_gone(self.child_here.as_ptr()) };
    }
}

/// Has the kernel clear a cell, and wake who waits for it, when the calling process leaves this memory. By a flag of clone(2)
/// musl does not let it.
///
/// # Safety
/// The cell must be there as long as the process is in this memory.
pub(super) unsafe fn clear_when_gone(cell: *mut libc::c_int) -> Result<(), Errno> {
    // SAFETY: the kernel keeps the address, and writes to it then.
    unsafe { raw::call(libc::SYS_set_tid_address, [cell.addr(), 0, 0, 0, 0]) }.map(drop)
}

extern "C" fn start(at: *mut libc::c_void) -> libc::c_int {
    // SAFETY: what `begin` gives, which is there for as long as `here` says that somebody is.
    let beside = unsafe { &*at.cast::<Beside>() };
    // SAFETY: the cell is there when the kernel writes to it, as above.
    if let Err(errno) = unsafe { clear_when_gone(beside.here.as_ptr()) } {
        // The parent would hear of its end alone, not of its becoming another program.
        beside.failed.store(errno.0, Ordering::Release);
        return 1;
    }
    beside.run.get().map_or(1, |run| run(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Status, wait};
    use crate::spawn::{Stays, Table, child, child_that};

    fn sleep_a_while() {
        let time = libc::timespec { tv_sec: 0, tv_nsec: 30_000_000 };
        // SAFETY: the time is readable, and nothing is asked for in return.
        let _ = unsafe { raw::call(libc::SYS_nanosleep, [(&raw const time).addr(), 0, 0, 0, 0]) };
    }

    extern "C" fn is_slow(at: *mut libc::c_void) -> libc::c_int {
        // SAFETY: what `make` gives.
        let beside = unsafe { &*at.cast::<Beside>() };
        sleep_a_while();
        beside.failed.store(beside.words.get()[2], Ordering::Release);
        7
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn whoever_is_made_beside_a_child_is_waited_for_with_it() {
        for round in 1..4 {
            let mut second = None;
            let first = child(Table::Copied, &mut || {
                let own = own().expect("a child has one");
                own.make(0, is_slow, [0, 0, round, 0]).expect("another process");
                second = Some(own.make(0, is_slow, [0; 4]));
                9
            });
            let made = made();
            assert_eq!(made.failed, Some(round), "it has come to its end");
            assert_eq!(second, Some(Err(Errno(libc::EBUSY))));
            assert_eq!(wait(first.unwrap()).unwrap(), Status::Exited(9));
            assert_eq!(wait(made.beside.unwrap()).unwrap(), Status::Exited(7));
        }
        assert!(own().is_none(), "this process is nobody's child here");
    }

    extern "C" fn is_killed(_: *mut libc::c_void) -> libc::c_int {
        // SAFETY: take no address.
        let own = unsafe { raw::call(libc::SYS_getpid, [0; 5]) };
        // SAFETY: as above.
        let _ = unsafe { raw::call(libc::SYS_kill, [own.unwrap_or(0), 9, 0, 0, 0]) };
        1
    }

    /// So that a thread whose child was killed does not wait without end.
    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn one_that_is_killed_is_waited_for_too() {
        let first = child(Table::Copied, &mut || {
            own().map_or(1, |own| own.make(0, is_killed, [0; 4]).map_or(2, |_| 0))
        });
        assert_eq!(wait(first.unwrap()).unwrap(), Status::Exited(0));
        assert_eq!(wait(made().beside.unwrap()).unwrap(), Status::Signalled(9));
    }

    fn kill_oneself() -> i32 {
        is_killed(std::ptr::null_mut())
    }

    /// Without CLONE_VFORK the kernel says nothing of its end but by the cell.
    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn one_that_is_to_be_replaced_is_waited_for_however_it_ends() {
        let until_replaced = |child: &mut dyn FnMut() -> i32| {
            let child = child_that(Stays::UntilReplaced, Table::Copied, child).unwrap();
            assert_eq!(made().successor, None);
            wait(child).unwrap()
        };
        let mut said = 0;
        let mut end = || {
            said += 1;
            8
        };
        assert_eq!(until_replaced(&mut end), Status::Exited(8));
        assert_eq!(said, 1, "what it wrote is there");
        assert_eq!(until_replaced(&mut kill_oneself), Status::Signalled(9));
        // Its cell is cleared for nobody any more, and nobody has come to take its place.
        let mut give_up_and_die =
            || own().map_or(1, |own| own.successor().map_or(2, |_| kill_oneself()));
        assert_eq!(until_replaced(&mut give_up_and_die), Status::Signalled(9));
        let mut find_no_other = || {
            own().map_or(1, |own| {
                own.successor().map_or(2, |_| {
                    own.no_successor();
                    9
                })
            })
        };
        assert_eq!(until_replaced(&mut find_no_other), Status::Exited(9));
    }

    /// What it has become would last; its parent goes on with the cell, which the kernel clears.
    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn one_that_is_to_be_replaced_is_left_when_it_executes_something() {
        let mut be_executed = || {
            let words = [c"sleep".as_ptr(), c"5".as_ptr(), std::ptr::null()];
            // SAFETY: a path, a list of words and an empty list.
            unsafe { libc::execve(c"/bin/sleep".as_ptr(), words.as_ptr(), &std::ptr::null()) };
            125
        };
        let child = child_that(Stays::UntilReplaced, Table::Copied, &mut be_executed).unwrap();
        crate::process::signal(child, libc::SIGKILL).unwrap();
        assert_eq!(wait(child).unwrap(), Status::Signalled(libc::SIGKILL));
    }

    /// Its parent's thread looks about meanwhile, and would find that nobody has been made.
    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn whoever_is_about_to_be_made_is_waited_for_too() {
        let mut said = 0;
        let mut take_time = || {
            own().map_or(1, |own| {
                // As `make` has it before the kernel has given it a pid.
                own.here.store(1, Ordering::Release);
                sleep_a_while();
                said = own.here.load(Ordering::Acquire);
                own.has_left();
                0
            })
        };
        let child = child_that(Stays::UntilReplaced, Table::Copied, &mut take_time).unwrap();
        assert_eq!(wait(child).unwrap(), Status::Exited(0));
        assert_eq!(said, 1);
    }
}
