//! The process that stays outside when one that locks itself in, or becomes the program, goes on in a child.

use std::os::fd::RawFd;

use crate::exec::end;
use crate::process::{self, Pid, Status};
use crate::supervise::{FORWARDED, end_by};

/// Passes signals on to the program, stops and goes on with it, and ends as it ends, with everything in its namespace.
/// All signals are blocked.
pub(super) fn run(init: i32, program: i32) -> ! {
    // What it leaves open would keep others from seeing the end.
    let _ = crate::descriptors::close_between(0, RawFd::MAX);
    let (init, program) = (Pid::new(init), Pid::new(program));
    // SAFETY: all-zero bytes are a valid set, and it is filled before it is used.
    let mut all: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is writable.
    unsafe { libc::sigfillset(&mut all) };
    loop {
        match process::poll_stops(program) {
            Ok(Some(Status::Stopped(_))) => {
                let _ = process::signal(Pid::own(), libc::SIGSTOP);
            }
            Ok(Some(Status::Exited(status))) => {
                all_gone(init);
                end(status);
            }
            Ok(Some(Status::Signalled(signal))) => {
                all_gone(init);
                end_by(signal);
            }
            Ok(Some(Status::Continued) | None) => {}
            Err(_) => {
                all_gone(init);
                end(125);
            }
        }
        let mut signal = 0;
        // SAFETY: the set is readable, and the number is writable.
        if unsafe { libc::sigwait(&all, &mut signal) } == 0 && FORWARDED.contains(&signal) {
            pass_on(program, signal);
        }
    }
}

/// The program may have ended since: then there is nobody to tell.
fn pass_on(program: Pid, signal: i32) {
    // Its group, which a stop was sent to.
    if signal == libc::SIGCONT && process::signal_group(program, signal).is_ok() {
        return;
    }
    let _ = process::signal(program, signal);
}

/// With its init ends everything in the namespace; it is there until all of that is gone.
fn all_gone(init: Pid) {
    let _ = process::signal(init, libc::SIGKILL);
    let _ = process::wait(init);
}
