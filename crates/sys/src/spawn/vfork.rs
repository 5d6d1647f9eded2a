//! Linux: clone(CLONE_VM | CLONE_VFORK).

use std::io;

use crate::process::{self, Pid};
use crate::signals;

/// Enough for the steps: the largest frames are a page of path and a few of buffers.
const STACK: usize = 256 * 1024;
const GUARD: usize = 64 * 1024;

/// The child's stack, with pages below it that fault.
struct Stack {
    base: *mut libc::c_void,
}

impl Stack {
    fn new() -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh private mapping, wherever the kernel likes.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), GUARD + STACK, access, flags, -1, 0) };
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

    fn top(&self) -> *mut libc::c_void {
        self.base.wrapping_byte_add(GUARD + STACK)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `new`; the child that ran on it is gone from this
        // memory, since CLONE_VFORK returns only then.
        unsafe { libc::munmap(self.base, GUARD + STACK) };
    }
}

type Child<'a> = &'a mut dyn FnMut() -> i32;

extern "C" fn run(child: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `child` is the address of the reference in `super::child`'s frame, which
    // lives until the child has left this memory: the parent is suspended until then.
    let child = unsafe { &mut *child.cast::<Child<'_>>() };
    child()
}

pub(super) const PARENT_GOES_ON: bool = false;

pub(super) fn child(mut child: Child<'_>) -> io::Result<Pid> {
    let stack = Stack::new()?;
    // A handler that ran in the child would run on the parent's memory.
    let mask = signals::block_all()?;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let argument = (&raw mut child).cast();
    // SAFETY: the stack is the child's alone and large enough; `run` ends in `_exit` or
    // execve; the parent's thread is suspended meanwhile, so that nothing of its frame
    // changes; signals are blocked, so that no handler runs in the child. The child
    // shares errno and other thread-locals with the suspended thread, which reads none
    // of them before it has set them again.
    let pid = unsafe { libc::clone(run, stack.top(), flags, argument) };
    let result = if pid == -1 { Err(io::Error::last_os_error()) } else { Ok(Pid::new(pid)) };
    if let Err(errno) = signals::restore(&mask) {
        // The caller is told that there is no child, so that nobody would look after this one.
        if let Ok(child) = result {
            let _ = process::signal(child, libc::SIGKILL);
            let _ = process::wait(child);
        }
        return Err(errno.into());
    }
    result
}
