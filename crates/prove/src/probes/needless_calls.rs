//! System calls that anybody may make and no confined program needs: what they give away is no privilege of the
//! uid's, but a way to the kernel. A second line, where the plan has a filter.

use isol_core::Os;
use isol_sys::attempts as sys;
use isol_sys::process::Status;

use crate::attack::raw;
use crate::{Attack, Breach, Inside, Seen};

pub(super) const KEYS: Attack = call("keyrings", |_| {
    Seen::of(isol_sys::privileges::leave_session_keyring(), |()| "a keyring was made".into())
});
pub(super) const BPF: Attack = call("bpf", |_| got(sys::bpf_map(), "a map in the kernel"));
pub(super) const PERF: Attack =
    call("performance-counter", |_| got(sys::performance_counter(), "a performance counter"));
pub(super) const USERFAULTFD: Attack =
    call("hold-page-faults", |_| got(sys::hold_page_faults(), "a descriptor for page faults"));
pub(super) const IO_URING: Attack = call("io-uring", |_| io_uring());
pub(super) const PERSONALITY: Attack = call("addresses-that-can-be-guessed", |_| {
    const NO_RANDOM_ADDRESSES: u64 = 0x0004_0000;
    Seen::of(sys::set_execution_domain(NO_RANDOM_ADDRESSES), |()| "the domain was changed".into())
});
pub(super) const HANDLES: Attack =
    call("file-by-handle", |i| got(sys::handle_of(&raw(i.at_executable())), "a file's handle"));
pub(super) const TRACE: Attack = call("trace-a-child", |_| trace());
pub(super) const TERMINAL: Attack = call("terminal-input", |_| {
    let Ok(file) = std::fs::File::open("/") else { return Seen::Lost("/ can't be opened".into()) };
    let reached = sys::reaches_terminals(std::os::fd::AsRawFd::as_raw_fd(&file));
    Seen::of(reached, |()| "TIOCSTI or TIOCLINUX reached a descriptor".into())
});
pub(super) const VSOCK: Attack =
    call("vsock", |_| got(sys::vsock(), "a socket to the machine below"));
pub(super) const KERNEL_LOG: Attack = call("kernel-log", |_| {
    Seen::of(sys::kernel_log(), |size| format!("the kernel's log has {size} bytes"))
});
pub(super) const CLONE3: Attack = call("clone3", |_| match sys::reaches_clone3() {
    true => Seen::Got("its flags, which no filter sees, are the kernel's to judge".into()),
    false => Seen::Refused("ENOSYS".into()),
});
pub(super) const I386: Attack = call("i386-call", |_| i386());
pub(super) const X32: Attack =
    call("x32-call", |_| Seen::of(sys::ask_as_x32(), |pid| format!("process {pid} made one")));

/// An attempt that counts where the plan has a filter.
const fn call(name: &'static str, run: fn(&Inside<'_>) -> Seen) -> Attack {
    Attack::new(name, run, Breach::When(|expected, _| expected.filtered)).only_on(Os::Linux)
}

fn got<T>(answer: Result<T, isol_core::Errno>, what: &'static str) -> Seen {
    Seen::of(answer, |_| what.into())
}

fn io_uring() -> Seen {
    let seen = got(sys::ring(), "a ring");
    let off = || std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled");
    match (seen, off()) {
        (Seen::Refused(_), Ok(how)) if how.trim() == "2" => {
            Seen::NotHere("kernel.io_uring_disabled is 2".into())
        }
        (seen, _) => seen,
    }
}

fn trace() -> Seen {
    let Ok(child) = sys::fork(&mut || {
        std::thread::sleep(std::time::Duration::from_secs(5));
        0
    }) else {
        return Seen::Lost("no process to trace".into());
    };
    let seen = got(sys::trace(child.get()), "a child was traced");
    let _ = sys::signal(child.get(), 9);
    let _ = sys::reap(child);
    seen
}

/// A filter may end whoever makes one.
fn i386() -> Seen {
    const SIGSEGV: i32 = 11;
    const SIGSYS: i32 = 31;
    const MADE: i32 = 0;
    const NONE: i32 = 2;
    let child = sys::fork(&mut || match sys::ask_as_i386() {
        Ok(pid) if pid > 0 => MADE,
        Ok(_) => 1,
        Err(_) => NONE,
    });
    match child.and_then(sys::reap) {
        Ok((Status::Exited(MADE), _)) => Seen::Got("a call of i386's was made".into()),
        Ok((Status::Exited(NONE), _)) => Seen::NotHere("this is no x86 machine".into()),
        Ok((Status::Signalled(SIGSEGV), _)) => {
            Seen::NotHere("this kernel runs no i386 programs".into())
        }
        Ok((Status::Signalled(SIGSYS), _)) => Seen::Refused("SIGSYS ended the process".into()),
        Ok((status, _)) => Seen::Refused(format!("status {}", status.code())),
        Err(error) => Seen::Lost(error.to_string()),
    }
}
