//! The init of a pid namespace: pid 1 inside.
//!
//! It has next to nothing to do: the kernel waits for its children, because it ignores their ends, and kills everything in the
//! namespace when it ends, which it does when the program ends, or its guardian. It is a program of its own, so that it neither costs a copy of its maker's memory nor keeps
//! one; where such a program can't be executed it is a copy of its maker.

cfg_if::cfg_if! {
    // The file is one of 64 bits.
    if #[cfg(all(target_pointer_width = "64", any(target_arch = "x86_64", target_arch = "aarch64")))] {
        #[path = "init/image.rs"]
        mod image;
        #[path = "init/program.rs"]
        mod program;
        pub(super) use image::Image;
    } else {
        #[path = "init/no_image.rs"]
        mod image;
        pub(super) use image::Image;
    }
}

#[path = "init/alone.rs"]
mod alone;

use std::os::fd::RawFd;
use std::sync::atomic::Ordering;

use isol_core::Errno;

use crate::errno::{check, check_long};
use crate::exec::end;
use crate::spawn::beside::{self, Beside};

/// What it watches: who made it, and by what it says that it can't be looked into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    /// A descriptor of the process with which it ends.
    pub(super) guardian: RawFd,
    /// One byte goes here.
    pub(super) ready: RawFd,
    /// Whether it brings the loopback up, if it is made beside others that need not wait for that.
    pub(super) loopback: bool,
}

/// One that has been made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Init {
    pub(super) pid: i32,
    /// Why it has ended already.
    pub(super) failed: Option<Errno>,
    /// Whether it brings the loopback up.
    pub(super) loopback: bool,
}

/// Makes it, by clone(2) with these flags beside those that are needed. Async-signal-safe.
pub(super) fn make(watch: Watch, image: Option<&Image>, flags: libc::c_int) -> Result<Init, Errno> {
    match image {
        Some(image) => executed(watch, image, flags),
        None => copied(watch, flags).map(|pid| Init { pid, failed: None, loopback: false }),
    }
}

/// The program. Where a child of `spawn`'s asks for it, it is there once it has said so; else when this returns.
fn executed(watch: Watch, image: &Image, flags: libc::c_int) -> Result<Init, Errno> {
    if let Some(place) = beside::own().filter(|_| alone::can_be_shut()) {
        let Watch { guardian, ready, loopback } = watch;
        let words = [guardian, ready, image.get(), i32::from(loopback)];
        let make = || place.make(flags, become_program, words);
        return alone::from_the_root(make).map(|pid| Init { pid, failed: None, loopback });
    }
    let mut failed = None;
    let pid = in_shared_memory(flags, &mut || {
        failed = Some(shut_in_place(watch, image).map_or_else(|e| e, |()| image.execute()));
    })?;
    Ok(Init { pid, failed, loopback: false })
}

extern "C" fn become_program(at: *mut libc::c_void) -> libc::c_int {
    // SAFETY: what `make` gives, which is there for as long as this process is in this memory.
    let beside = unsafe { &*at.cast::<Beside>() };
    let [guardian, ready, image, loopback] = beside.words.get();
    let watch = Watch { guardian, ready, loopback: loopback != 0 };
    // Before its end of the pipe is closed, by which the others hear of it.
    beside.failed.store(alone::become_program(watch, image), Ordering::Release);
    1
}

/// It is number 1 inside, and who is made next is what becomes the program.
const PROGRAM: libc::pid_t = 2;

/// Enough for a few system calls.
const STACK: usize = 16 * 1024;

/// A stack as the processors want it.
#[repr(align(16))]
struct Stack {
    _bytes: [u8; STACK],
}

/// A child that shares this memory, while this process waits until it has ended or executed another program.
/// All signals are blocked in it. Async-signal-safe, as `child` has to be.
fn in_shared_memory(flags: libc::c_int, mut child: &mut dyn FnMut()) -> Result<i32, Errno> {
    type Child<'a> = &'a mut dyn FnMut();

    extern "C" fn run(child: *mut libc::c_void) -> libc::c_int {
        // SAFETY: the address of the reference in the frame below, which is there until the child has left this memory.
        let child = unsafe { &mut *child.cast::<Child<'_>>() };
        child();
        1
    }

    let mut stack = std::mem::MaybeUninit::<Stack>::uninit();
    let top = stack.as_mut_ptr().wrapping_add(1).cast::<libc::c_void>();
    let argument = (&raw mut child).cast();
    let flags = flags | libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // A handler that ran in the child would run on this memory.
    let mask = crate::signals::block_all()?;
    // SAFETY: the stack is the child's alone, and this frame, which owns it, waits until the child has left this memory
    // (CLONE_VFORK); signals are blocked, so that no handler runs in the child. It shares errno with this thread, which
    // reads it only behind a call of its own that has failed.
    let made = check(unsafe { libc::clone(run, top, flags, argument) });
    crate::signals::restore(&mask)?;
    made
}

/// What outlasts execve(2), in a child that shares its maker's memory: all signals are blocked.
fn shut_in_place(watch: Watch, image: &Image) -> Result<(), Errno> {
    let (guardian, ready) = (above_standard(watch.guardian)?, above_standard(watch.ready)?);
    for (fd, place) in [(guardian, 0), (ready, 1)] {
        // SAFETY: takes two numbers.
        check(unsafe { libc::dup2(fd, place) })?;
    }
    close_all_but(2, image.get())?;
    settle()?;
    // Executing gives uid 0 its capabilities back, but for this.
    crate::privileges::set_no_new_privileges()
}

/// This descriptor, or a duplicate of it that is none of 0, 1 and 2.
fn above_standard(fd: RawFd) -> Result<RawFd, Errno> {
    match fd {
        // SAFETY: takes three numbers.
        0..3 => check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) }),
        _ => Ok(fd),
    }
}

/// Closes all from `first` up but one, which is above it.
fn close_all_but(first: RawFd, spared: RawFd) -> Result<(), Errno> {
    crate::descriptors::close_between(first, spared - 1)?;
    crate::descriptors::close_between(spared + 1, RawFd::MAX)
}

/// It ignores its children's ends, is where nothing keeps it, and has no capabilities.
fn settle() -> Result<(), Errno> {
    crate::signals::ignore(libc::SIGCHLD)?;
    // Its working directory moves with the root when the root is exchanged.
    crate::chroot::change_directory(c"/")?;
    crate::privileges::empty_capabilities()
}

/// A copy of this process.
fn copied(watch: Watch, flags: libc::c_int) -> Result<i32, Errno> {
    let (flags, zero) = ((flags | libc::SIGCHLD) as libc::c_ulong, 0 as libc::c_ulong);
    // SAFETY: without CLONE_VM it is fork(2), without what the C library does for processes that go on to use
    // it: this one makes async-signal-safe calls only, and never returns.
    match check_long(unsafe { libc::syscall(libc::SYS_clone, flags, zero, zero, zero, zero) })? {
        0 => run(watch),
        pid => Ok(pid as i32),
    }
}

fn run(watch: Watch) -> ! {
    match shut(watch) {
        Ok(program) => wait_for_the_end(watch.guardian, program),
        Err(_) => end(1),
    }
}

fn shut(watch: Watch) -> Result<RawFd, Errno> {
    // SAFETY: takes numbers. Before anything else runs inside: the memory is a copy of the caller's.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) })?;
    // SAFETY: the name is a NUL-terminated literal.
    check(unsafe { libc::prctl(libc::PR_SET_NAME, c"isol-init".as_ptr(), 0, 0, 0) })?;
    crate::signals::block_all()?;
    let (low, high) = (watch.guardian.min(watch.ready), watch.guardian.max(watch.ready));
    for (first, last) in [(0, low - 1), (low + 1, high - 1), (high + 1, RawFd::MAX)] {
        if first <= last {
            crate::descriptors::close_between(first, last)?;
        }
    }
    settle()?;
    let program = program_inside(watch.guardian).ok_or(Errno(libc::ESRCH))?;
    crate::pipe::write_record(watch.ready, b"i")?;
    // SAFETY: opened for this process, closed once.
    check(unsafe { libc::close(watch.ready) }).map(|_| program)
}

/// How often a copy looks for the program, a millisecond apart.
const LOOKS: usize = 2000;

/// What becomes the program, by a descriptor, once it is there; a negative number where the kernel gives none. `None` if the
/// guardian has ended before.
fn program_inside(guardian: RawFd) -> Option<RawFd> {
    for _ in 0..LOOKS {
        // SAFETY: takes numbers.
        match check_long(unsafe { libc::syscall(libc::SYS_pidfd_open, PROGRAM, 0) }) {
            Ok(fd) => return Some(fd as RawFd),
            Err(Errno(libc::ESRCH)) if poll([guardian, -1], 1) > 0 => return None,
            Err(Errno(libc::ESRCH)) => {}
            Err(_) => break,
        }
    }
    Some(-1)
}

fn wait_for_the_end(guardian: RawFd, program: RawFd) -> ! {
    while poll([guardian, program], -1) == -1 && crate::errno::last().0 == libc::EINTR {}
    end(0);
}

/// How many of them have ended, after at most so many milliseconds; -1 is without end. No signal is delivered: all are blocked.
fn poll(fds: [RawFd; 2], time: libc::c_int) -> libc::c_int {
    let mut watched = fds.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // SAFETY: two structures are writable for the call.
    unsafe { libc::poll(watched.as_mut_ptr(), 2, time) }
}

#[cfg(all(
    test,
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod tests {
    use super::*;
    use crate::process::{self, Pid, Status};
    use std::fs;
    use std::os::fd::{AsRawFd, OwnedFd};

    /// It does not outlive a test that fails.
    fn sleeper() -> (Pid, OwnedFd) {
        use std::os::fd::FromRawFd;
        let sleep = || {
            // SAFETY: takes two numbers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            // Or else it would keep other tests' pipes open.
            crate::descriptors::close_between(3, RawFd::MAX).unwrap();
            loop {
                // SAFETY: no arguments.
                unsafe { libc::pause() };
            }
        };
        // SAFETY: fork(2); the child makes system calls only.
        let pid = match unsafe { libc::fork() } {
            0 => sleep(),
            pid => pid,
        };
        // SAFETY: takes two numbers.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        // SAFETY: opened just now.
        (Pid::new(pid), unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
    }

    fn status(pid: i32, field: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim_start_matches(':').trim().to_owned()
    }

    fn look_into(pid: i32, executed: bool) {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        assert_eq!(open, 2, "what it waits for and nothing else");
        if executed {
            let mapped = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
            let files = mapped.lines().filter(|line| line.contains('/')).count();
            assert_eq!(files, 1, "{mapped}");
            assert!(!mapped.contains("[heap]"), "{mapped}");
        }
    }

    /// Who ends it.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum End {
        Guardian,
        Program,
    }

    /// In a pid namespace of a thread's own: that who it waits for is gone ends it, and nothing else.
    fn it_is_shut_and_ends_with(end: End, image: Option<&Image>) {
        let (guardian, watched) = sleeper();
        let watched = watched.as_raw_fd();
        let (read, ready) = crate::pipe::new().unwrap();
        let watch = Watch { guardian: watched, ready: ready.as_raw_fd(), loopback: false };
        super::super::leave(super::super::Kinds::PID).unwrap();
        let Init { pid, failed, .. } = make(watch, image, 0).unwrap();
        drop(ready);
        assert_eq!(failed, None);
        let (program, _) = sleeper();
        assert!(crate::pipe::wait_for_byte(read.as_raw_fd()));
        assert!(!crate::pipe::wait_for_byte(read.as_raw_fd()), "it keeps its end");
        assert_eq!(status(pid, "Name"), "isol-init");
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(status(pid, set), "0000000000000000", "{set}");
        }
        assert_eq!(
            u64::from_str_radix(&status(pid, "SigBlk"), 16).unwrap() | 1 << 8 | 1 << 18,
            u64::MAX
        );
        let ignored = u64::from_str_radix(&status(pid, "SigIgn"), 16).unwrap();
        assert_ne!(ignored & 1 << (libc::SIGCHLD - 1), 0);
        assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_str(), Some("/"));
        look_into(pid, image.is_some());
        // SAFETY: takes two numbers.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
        assert_eq!(process::poll(Pid::new(pid)).unwrap(), None);
        let (first, then) = match end {
            End::Guardian => (guardian, program),
            End::Program => (program, guardian),
        };
        process::signal(first, libc::SIGKILL).unwrap();
        process::wait(first).unwrap();
        if end == End::Guardian {
            // It is killed by the init's end, which waits until it has been waited for.
            assert_eq!(process::wait(then).unwrap(), Status::Signalled(libc::SIGKILL));
        }
        assert_eq!(process::wait(Pid::new(pid)).unwrap(), Status::Exited(0));
        if end == End::Program {
            process::signal(then, libc::SIGKILL).unwrap();
            process::wait(then).unwrap();
        }
    }

    /// Each in a thread, whose children alone are in the namespace.
    fn it_is_shut_and_ends(image: Option<&Image>) {
        if !crate::privileges::may_administer() {
            return;
        }
        for end in [End::Guardian, End::Program] {
            std::thread::scope(|threads| {
                let spawn = || {
                    let work = || it_is_shut_and_ends_with(end, image);
                    std::thread::Builder::new().spawn_scoped(threads, work)
                };
                // clone3(2) answers EAGAIN now and then while other tests start children from twenty threads: seen on
                // Linux 6.18, and far from every limit.
                let busy = |made: &std::io::Result<_>| {
                    let busy =
                        made.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock);
                    if busy {
                        std::thread::sleep(std::time::Duration::from_millis(1));
                    }
                    busy
                };
                let mut made = std::iter::repeat_with(spawn).take(1000).skip_while(busy);
                made.next().expect("room for a thread").unwrap().join().unwrap();
            });
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn the_program_is_shut_and_ends_with_whom_it_waits_for() {
        let image = Image::new().expect("this kernel executes what is in memory");
        it_is_shut_and_ends(Some(&image));
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn so_does_a_copy() {
        it_is_shut_and_ends(None);
    }

    #[test]
    fn what_failed_is_told_with_its_name() {
        use super::super::{AT_LOOPBACK, why_no_init};
        assert_eq!(why_no_init(libc::EPERM), (Errno(libc::EPERM), "the init"));
        let of_the_loopback = (Errno(libc::EPERM), "bringing the loopback up");
        assert_eq!(why_no_init(libc::EPERM | AT_LOOPBACK), of_the_loopback);
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn a_kernel_that_cant_be_asked_is_tried() {
        assert!(Image::new().unwrap().is_executed_once());
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn one_that_is_not_executed_is_told_of() {
        // What is no program of this machine's.
        let (_, not_a_program) = crate::pipe::new().unwrap();
        let image = Image::of(not_a_program);
        let watch = Watch { guardian: 0, ready: 1, loopback: false };
        let Init { pid, failed, .. } = make(watch, Some(&image), 0).unwrap();
        assert_eq!(failed, Some(Errno(libc::EACCES)));
        assert_eq!(process::wait(Pid::new(pid)).unwrap(), Status::Exited(1));
    }
}
