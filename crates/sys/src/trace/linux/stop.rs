//! What a process that has stopped at a system call was about: PTRACE_GET_SYSCALL_INFO, since Linux 5.3.
//!
//! By the call itself, not by a C library's words for it: glibc's headers have the structure, musl's have not.

use nix::errno::Errno;
use nix::unistd::Pid;

const GET_SYSCALL_INFO: libc::c_long = 0x420e;

/// `struct ptrace_syscall_info`, of whose union the parts of a call's beginning and end are read.
#[repr(C)]
#[derive(Default)]
struct Info {
    op: u8,
    reserved: u8,
    flags: u16,
    arch: u32,
    instruction_pointer: u64,
    stack_pointer: u64,
    part: [u64; 7],
}

/// Which of a call's two stops it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It begins.
    Entry { number: u64, arguments: [u64; 6] },
    /// It has ended.
    Exit { value: i64, failed: bool },
    /// None of a call's.
    Other,
}

/// At which stop a process is.
pub(super) fn of(pid: Pid) -> nix::Result<Stop> {
    let mut info = Info::default();
    let size = size_of::<Info>();
    // SAFETY: `info` is writable, and of the size that is given; any bytes are valid in it.
    let got = unsafe {
        libc::syscall(libc::SYS_ptrace, GET_SYSCALL_INFO, pid.as_raw(), size, &raw mut info)
    };
    Errno::result(got)?;
    let [first, arguments @ ..] = info.part;
    Ok(match info.op {
        1 => Stop::Entry { number: first, arguments },
        // `__s64 rval; __u8 is_error`
        2 => Stop::Exit { value: first.cast_signed(), failed: arguments[0].to_ne_bytes()[0] != 0 },
        _ => Stop::Other,
    })
}
