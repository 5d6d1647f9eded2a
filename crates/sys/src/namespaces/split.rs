//! One process becomes two in the new pid namespace: its init, and the program-to-be.

use std::os::fd::RawFd;

use isol_core::Errno;

use super::init::{self, Image, Init, Watch};
use super::{Inner, Split, guardian};
use crate::errno::{check, check_long};
use crate::process::Pid;
use crate::spawn::beside;

pub(super) fn split(
    how: Split,
    image: Option<&Image>,
    loopback: bool,
    made: &mut dyn FnMut(i32),
) -> Result<Inner, Errno> {
    let begun = Begun::new(how, loopback)?;
    let flags = match how {
        // Its parent is then the parent of this process, which shares that one's memory.
        Split::Child { .. } => libc::CLONE_PARENT,
        Split::InPlace => 0,
    };
    let init = init::make(begun.watch, image, flags);
    close(begun.watch.guardian);
    close(begun.watch.ready);
    let Init { pid, failed, loopback } = init.inspect_err(|_| close(begun.ready))?;
    made(pid);
    let went_on = match (failed, how) {
        (Some(errno), _) => Err(errno),
        (None, Split::Child { .. }) => replace(pid, begun.ready),
        (None, Split::InPlace) => go_on(pid, begun.ready),
    };
    went_on.map(|inner| Inner { loopback, ..inner }).inspect_err(|_| {
        close(begun.ready);
        // SAFETY: takes two numbers; it is this process's child, or its sibling, and not waited for yet.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    })
}

/// What both of them need, closed on exec.
struct Begun {
    watch: Watch,
    ready: RawFd,
}

impl Begun {
    fn new(how: Split, loopback: bool) -> Result<Self, Errno> {
        let guardian = match how {
            Split::Child { parent } => parent,
            Split::InPlace => Pid::own().get(),
        };
        let watched = pidfd(guardian)?;
        // Its number could be another's by now; as long as it is the parent, it is not.
        if how != Split::InPlace && Pid::parent().get() != guardian {
            close(watched);
            return Err(Errno(libc::ESRCH));
        }
        let mut ends = [-1; 2];
        // SAFETY: two numbers are writable.
        if let Err(errno) = check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }) {
            close(watched);
            return Err(errno);
        }
        let watch = Watch { guardian: watched, ready: ends[1], loopback };
        Ok(Self { watch, ready: ends[0] })
    }
}

fn pidfd(pid: i32) -> Result<RawFd, Errno> {
    // SAFETY: takes two numbers.
    check_long(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }).map(|fd| fd as RawFd)
}

fn close(fd: RawFd) {
    // SAFETY: the caller has opened it and has no more use for it.
    unsafe { libc::close(fd) };
}

/// In a process of its own: it stays, and a child goes on.
fn go_on(init: i32, ready: RawFd) -> Result<Inner, Errno> {
    let mask = crate::signals::block_all()?;
    // SAFETY: this process has one thread, by this function's contract, so that the child may do what any process may.
    match check(unsafe { libc::fork() }) {
        Ok(0) => {
            crate::signals::restore(&mask)?;
            Ok(Inner { init, program: 0, ready, loopback: false })
        }
        Ok(program) => guardian::run(init, program),
        Err(errno) => {
            crate::signals::restore(&mask)?;
            Err(errno)
        }
    }
}

/// In a child that shares its parent's memory: another child of that parent takes its place, on its stack.
fn replace(init: i32, ready: RawFd) -> Result<Inner, Errno> {
    let mut cells = [0; 2];
    // Where the first is found, too, if neither of both comes to tell of it.
    let place = beside::own();
    let [pid, here] = match place {
        Some(place) => place.successor()?,
        None => cells.each_mut().map(|cell| &raw mut *cell),
    };
    // SAFETY: see `become_sibling`; the cells are above this stack, or on it, and the stack is the new process's from now on.
    match unsafe { become_sibling(pid, here) } {
        // SAFETY: the kernel has written it, and nobody does any more.
        0 => Ok(Inner { init, program: unsafe { *pid }, ready, loopback: false }),
        failed => {
            if let Some(place) = place {
                place.no_successor();
            }
            Err(Errno(-failed as i32))
        }
    }
}

/// clone(CLONE_PARENT | CLONE_VM), on the same stack, where this process ends as it goes on: 0 in
/// the new process, whose pid has been written to `pid`, or a negative errno. `here` is cleared when it leaves this memory.
///
/// # Safety
/// `pid` and `here` must be writable. The new process writes over the calling one's stack at once; that one goes on in this very
/// function, touches no memory, and ends. So nobody but the new process returns
/// from here, and whoever shares this memory must not wait for a word of the old one. (In a process with a shadow stack, which
/// no program of Rust's has yet, the new one would have an empty one, and be killed as it returns.)
#[cfg(target_arch = "x86_64")]
unsafe fn become_sibling(pid: *mut libc::c_int, here: *mut libc::c_int) -> isize {
    let flags = FLAGS as isize;
    let found: isize;
    // SAFETY: the kernel writes to both cells only; behind the call, the old process makes one system call from
    // registers alone, and does not return from it.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jle 2f",
            "xor edi, edi",
            "mov eax, {exit_group}",
            "syscall",
            "ud2",
            "2:",
            exit_group = const libc::SYS_exit_group,
            inlateout("rax") libc::SYS_clone as isize => found,
            inlateout("rdi") flags => _,
            in("rsi") 0_isize,
            in("rdx") pid,
            in("r10") here,
            in("r8") 0_isize,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    found
}

/// The same.
///
/// # Safety
/// The same.
#[cfg(target_arch = "aarch64")]
unsafe fn become_sibling(pid: *mut libc::c_int, here: *mut libc::c_int) -> isize {
    let flags = FLAGS as isize;
    let found: isize;
    // SAFETY: as above.
    unsafe {
        std::arch::asm!(
            "svc 0",
            "cmp x0, 0",
            "b.le 2f",
            "mov x0, 0",
            "mov x8, {exit_group}",
            "svc 0",
            "brk 1",
            "2:",
            exit_group = const libc::SYS_exit_group,
            inlateout("x0") flags => found,
            in("x1") 0_isize,
            in("x2") pid,
            in("x3") 0_isize,
            in("x4") here,
            inlateout("x8") libc::SYS_clone as isize => _,
        );
    }
    found
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const FLAGS: libc::c_int = libc::CLONE_PARENT
    | libc::CLONE_VM
    | libc::CLONE_PARENT_SETTID
    | libc::CLONE_CHILD_CLEARTID
    | libc::SIGCHLD;

/// Where nobody has written the above: a copy of the memory, for which the old process need not keep off its stack.
///
/// # Safety
/// Both must be writable.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn become_sibling(pid: *mut libc::c_int, here: *mut libc::c_int) -> isize {
    // SAFETY: writable, by the contract. It is not in this memory.
    unsafe { here.write(0) };
    let flags = libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID | libc::SIGCHLD;
    let zero: libc::c_ulong = 0;
    // SAFETY: without CLONE_VM it is fork(2); the kernel writes to `pid` before it copies the memory.
    let made =
        unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_ulong, zero, pid, zero, zero) };
    match check_long(made) {
        Ok(0) => 0,
        Ok(_) => crate::exec::end(0),
        Err(errno) => -(errno.0 as isize),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kinds, leave};
    use super::*;
    use crate::process::{self, Status};
    use crate::spawn::{Stays, Table, child_that, made_by_the_child};

    /// An init is waited for without end if nobody knows of the program, and waits for it.
    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn both_are_known_of_a_child_that_tells_nothing() {
        if !crate::privileges::may_administer() {
            return;
        }
        let parent = Pid::own().get();
        let image = Image::new();
        let stays = [Stays::ToTheEnd, Stays::UntilReplaced];
        for (image, stays) in [image.as_ref(), None].into_iter().flat_map(|i| stays.map(|s| (i, s)))
        {
            let (mut told, mut said) = (0, 0);
            let made = child_that(stays, Table::Copied, &mut || {
                leave(Kinds::PID).expect("root may");
                match split(Split::Child { parent }, image, false, &mut |init| told = init) {
                    Ok(inner) if crate::pipe::wait_for_byte(inner.ready) => {
                        // Whose place it has taken is gone by now.
                        std::thread::sleep(std::time::Duration::from_millis(20));
                        said = 6;
                        3
                    }
                    Ok(_) => 5,
                    Err(_) => 4,
                }
            });
            let known = made_by_the_child();
            assert!(said == 6 || !beside::CAN_BE_REPLACED, "it is waited for");
            assert_eq!(known.beside, image.map(|_| Pid::new(told)));
            assert_eq!(process::wait(made.unwrap()).unwrap(), Status::Exited(0));
            let program = known.successor.expect("it is known");
            assert_eq!(process::wait(program).unwrap(), Status::Exited(3));
            assert_eq!(
                process::wait(Pid::new(told)).unwrap(),
                Status::Exited(0),
                "with the program"
            );
        }
    }
}
