//! Linux's filters.

#[path = "linux/calls.rs"]
mod calls;
#[path = "linux/compile.rs"]
mod compile;
#[path = "linux/json.rs"]
mod json;
#[path = "linux/listener.rs"]
mod listener;

#[cfg(test)]
#[path = "linux/tests.rs"]
mod tests;

use isol_core::Errno;
use libc::{c_long, c_uint, c_ulong};

use super::Program;
use crate::errno::{check, check_long};

pub use calls::{name, number};
pub use compile::compile;
pub use json::read_json;
pub use listener::{Refusals, install_telling, receive};

/// Whether system calls can be filtered here.
pub const BUILT_IN: bool = true;

/// Which threads a filter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This one, and those that it starts from now on.
    Thread,
    /// All of the process. Those that have no `no_new_privs` get it.
    Process,
}

/// Whether the kernel has filters.
///
/// # Errors
/// `ENOSYS` before Linux 4.14, or one without `CONFIG_SECCOMP_FILTER`: `EINVAL` or `EOPNOTSUPP`.
///
/// # References
/// seccomp(2): `SECCOMP_GET_ACTION_AVAIL`
pub fn available() -> Result<(), Errno> {
    let action: c_uint = libc::SECCOMP_RET_ERRNO;
    // SAFETY: the kernel reads one number from the address.
    check_long(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &action)
    })
    .map(drop)
}

/// Puts a filter in force, for good: beside those that are in force already, for this and all that come of it. With
/// `log`, what it refuses is told in the kernel's log. Async-signal-safe.
///
/// # Errors
/// `EACCES` without `no_new_privs`; `EINVAL` if it is no program; `ESRCH` if another thread's filters are others than
/// this one's.
///
/// # References
/// seccomp(2): `SECCOMP_SET_MODE_FILTER`, `SECCOMP_FILTER_FLAG_TSYNC`, `SECCOMP_FILTER_FLAG_LOG`
pub fn install(program: &Program, scope: Scope, log: bool) -> Result<(), Errno> {
    let mut flags = match scope {
        Scope::Thread => 0,
        Scope::Process => libc::SECCOMP_FILTER_FLAG_TSYNC,
    };
    if log {
        flags |= libc::SECCOMP_FILTER_FLAG_LOG;
    }
    match put(program, flags)? {
        0 => Ok(()),
        // The number of the thread that could not follow.
        _ => Err(Errno(libc::ESRCH)),
    }
}

fn put(program: &Program, flags: c_ulong) -> Result<c_long, Errno> {
    let raw = libc::sock_fprog {
        len: program.0.len() as u16,
        filter: program.0.as_ptr().cast_mut().cast(),
    };
    // SAFETY: the kernel copies `len` instructions from the address, which are there and laid out as it has them, and
    // writes nothing.
    check_long(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw)
    })
}

/// Whether any filter is in force. Async-signal-safe.
///
/// # Errors
/// As prctl(2).
///
/// # References
/// PR_GET_SECCOMP(2const)
pub fn is_in_force() -> Result<bool, Errno> {
    let none: c_ulong = 0;
    // SAFETY: takes numbers only.
    let mode = check(unsafe { libc::prctl(libc::PR_GET_SECCOMP, none, none, none, none) })?;
    Ok(mode == libc::SECCOMP_MODE_FILTER as i32)
}

/// What a call answers whose arguments are this one and else 0. Async-signal-safe.
///
/// # Errors
/// As the call; `EINVAL` for one that could do something then.
pub fn asked(number: u32, first: u32) -> Result<(), Errno> {
    const HARMLESS: [c_long; 6] = [
        libc::SYS_clone3,
        libc::SYS_keyctl,
        libc::SYS_request_key,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_io_uring_setup,
    ];
    let number = c_long::from(number);
    if number != libc::SYS_socket && (first != 0 || !HARMLESS.contains(&number)) {
        return Err(Errno(libc::EINVAL));
    }
    // SAFETY: each of the calls above takes addresses and numbers, finds a null address or an invalid number among
    // them, and has done nothing; there is no socket of type 0.
    check_long(unsafe { libc::syscall(number, c_long::from(first), 0, 0, 0, 0, 0) }).map(drop)
}

/// Whether the kernel takes a filter: a child puts it in force, and ends.
///
/// # Errors
/// `EINVAL` if the kernel doesn't; as clone(2).
pub fn try_out(program: &Program) -> Result<(), Errno> {
    let mut errno = 0;
    let child = crate::spawn::child(crate::spawn::Table::Copied, &mut || {
        let tried = crate::privileges::set_no_new_privileges()
            .and_then(|()| install(program, Scope::Thread, false));
        // It shares this process's memory.
        errno = tried.err().map_or(0, |Errno(number)| number);
        0
    });
    let from_io = |error: std::io::Error| Errno(error.raw_os_error().unwrap_or(libc::EIO));
    // How it ended is the filter's affair: it may not let it exit.
    let pid = child.map_err(from_io)?;
    crate::process::wait(pid).map_err(from_io)?;
    if errno == 0 { Ok(()) } else { Err(Errno(errno)) }
}
