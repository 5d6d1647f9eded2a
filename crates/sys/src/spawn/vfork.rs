//! Linux: clone(CLONE_VM | CLONE_VFORK), with the parent's table of descriptors where that is asked for; without CLONE_VFORK
//! where another process takes the child's place, and is the one to be waited for.
//!
//! # What holds here
//!
//! 1. *The parent's thread waits.* CLONE_VFORK suspends the calling thread until the child has ended or has
//!    become another program; only then does the kernel let go of the memory on the child's side. So
//!    whatever this thread's frames own outlives the child's use of it. Without it the thread waits for a cell that the kernel
//!    clears then, and looks now and then whether somebody has ended without that (`beside.rs`).
//! 2. *The stack is the child's alone.* Some are kept between calls; one is taken out of its
//!    place for as long as a child may run on it, so that nobody else gets it, not even a child that
//!    is made by a child.
//! 3. *No handler runs in the child*, where it would run on the parent's memory: all signals are
//!    blocked before by `super::child`, by the raw system call, the two that the C library keeps to itself included.
//!    The child puts dispositions back before it unblocks them. The dispositions are its own: there is no
//!    CLONE_SIGHAND.
//! 4. *Thread-locals are the waiting thread's*, errno among them: there is no CLONE_SETTLS. That thread reads
//!    none of them before it has set it again, and writes none while it waits without CLONE_VFORK: raw calls only.
//!    Other threads go on, and may hold locks: the child takes none.
//! 5. *Who the child makes beside itself* runs on a stack above the child's, and is waited for in the end, and so is who
//!    takes the child's place (`beside.rs`): CLONE_VFORK alone returns, too, when the child is killed. What runs beside
//!    others that share errno leaves it alone.
//! 6. *A shared table of descriptors* is changed by the child only after `part_from_parent`, or
//!    by execve(2), which gives it a table of its own too.

use std::io;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::{Stays, Table, beside};
use crate::process::Pid;

/// Enough for the steps: the largest frame has all the groups that a process can have, of 256 KiB. Pages that nobody touches
/// cost nothing.
const STACK: usize = 512 * 1024;
const GUARD: usize = 64 * 1024;

/// All of it, with the place for who is made beside the child.
const MAPPED: usize = GUARD + STACK + beside::ROOM;

/// A child's stack, with pages below it that fault.
struct Stack {
    base: *mut libc::c_void,
}

/// Those that earlier children ran on: mapping one costs as much as the rest of a clone. The process's, and not each
/// thread's own: what a thread has to drop at its end has the C library allocate memory for a list of that.
static KEPT: [AtomicPtr<libc::c_void>; 8] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 8];

impl Stack {
    fn new() -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh private mapping, wherever the kernel likes.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), MAPPED, access, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let stack = Self { base };
        // SAFETY: the first `GUARD` bytes of the mapping made above.
        if unsafe { libc::mprotect(base, GUARD, libc::PROT_NONE) } == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(stack)
    }

    /// One that is kept, or a new one.
    fn take() -> io::Result<Self> {
        let full = KEPT.iter().filter(|place| !place.load(Ordering::Relaxed).is_null());
        let mut taken = full.map(|place| place.swap(std::ptr::null_mut(), Ordering::Acquire));
        taken.find(|base| !base.is_null()).map_or_else(Self::new, |base| Ok(Self { base }))
    }

    fn keep(self) {
        let stack = std::mem::ManuallyDrop::new(self);
        let put = |place: &AtomicPtr<_>| {
            let none = std::ptr::null_mut();
            place.compare_exchange(none, stack.base, Ordering::Release, Ordering::Relaxed).is_ok()
        };
        if !KEPT.iter().any(put) {
            drop(std::mem::ManuallyDrop::into_inner(stack));
        }
    }

    fn top(&self) -> *mut libc::c_void {
        self.base.wrapping_byte_add(GUARD + STACK)
    }

    fn end(&self) -> *mut libc::c_void {
        self.base.wrapping_byte_add(MAPPED)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `new`; the child that ran on it is gone from this memory, and who it made beside
        // itself or in its place: `child` waits for all of them, and forgets a stack of whose users it can't be sure.
        unsafe { libc::munmap(self.base, MAPPED) };
    }
}

/// What a child runs.
struct Work<'a> {
    child: &'a mut dyn FnMut() -> i32,
    /// What is cleared when it is in this memory no more, where nothing else tells.
    cell: *mut libc::c_int,
}

extern "C" fn run(work: *mut libc::c_void) -> libc::c_int {
    // SAFETY: it is in `child`'s frame, which lives until the child has left this memory: the parent waits for that.
    let work = unsafe { &mut *work.cast::<Work<'_>>() };
    // SAFETY: the cell is there as long as the frame.
    if !work.cell.is_null() && unsafe { beside::clear_when_gone(work.cell) }.is_err() {
        // The parent would hear of its end alone, not of its becoming another program.
        return 125;
    }
    (work.child)()
}

pub(super) const PARENT_GOES_ON: bool = false;

pub(super) use beside::made as made_by_the_child;

pub(super) fn child(table: Table, stays: Stays, child: &mut dyn FnMut() -> i32) -> io::Result<Pid> {
    let stack = Stack::take()?;
    let is_replaced = stays == Stays::UntilReplaced && beside::CAN_BE_REPLACED;
    // SAFETY: the upper end of the mapping, above the child's stack, and nobody's but this thread's.
    let place = unsafe { beside::Place::new(stack.end(), is_replaced) };
    let cell = if is_replaced { place.child_here() } else { std::ptr::null_mut() };
    let mut work = Work { child, cell };
    let files = if table == Table::Shared { libc::CLONE_FILES } else { 0 };
    let waits = if is_replaced { 0 } else { libc::CLONE_VFORK };
    let flags = libc::CLONE_VM | waits | files | libc::SIGCHLD;
    let argument = (&raw mut work).cast();
    // SAFETY: the stack is the child's alone and large enough (2); `run` ends in `_exit` or
    // execve; the parent's thread waits meanwhile, here or below (1), so that nothing of its frame
    // changes; signals are blocked (3), so that no handler runs in the child. The child
    // shares errno and other thread-locals with the waiting thread, which reads none
    // of them before it has set them again (4).
    let pid = unsafe { libc::clone(run, stack.top(), flags, argument) };
    let made = if pid == -1 { Err(io::Error::last_os_error()) } else { Ok(Pid::new(pid)) };
    let is_left = place.is_left(made.as_ref().ok().copied());
    drop(place);
    if is_left {
        stack.keep()
    } else {
        std::mem::forget(stack)
    }
    made
}
