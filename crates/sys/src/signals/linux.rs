//! Linux, by raw system calls: glibc keeps two signals to itself and hides them from
//! sigaction(3) and sigprocmask(3), but a caller can have them blocked or ignored.

use isol_core::Errno;
use libc::c_int;

use crate::errno::check_long;

/// 64 signals.
pub(super) type RawMask = u64;

/// The kernel's `struct sigaction` begins with the handler on every architecture that
/// has a Rust target but MIPS; the rest, flags, a restorer and 8 bytes of mask, is zero for the default disposition. No
/// padding, which the kernel would read.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct KernelAction {
    handler: usize,
    rest: [usize; REST],
}

const REST: usize = 2 + 8 / size_of::<usize>();

const SIZE: usize = size_of::<u64>();

#[cfg(any(target_arch = "mips", target_arch = "mips64"))]
compile_error!("the kernel's sigaction has another layout on MIPS");

pub(super) fn set_default(signal: c_int) -> Result<(), Errno> {
    set(signal, libc::SIG_DFL)
}

pub(super) fn ignore(signal: c_int) -> Result<(), Errno> {
    set(signal, libc::SIG_IGN)
}

fn set(signal: c_int, handler: usize) -> Result<(), Errno> {
    let action = KernelAction { handler, ..KernelAction::default() };
    let old = std::ptr::null_mut::<KernelAction>();
    // SAFETY: the action is readable and no smaller than the kernel's; the old one is not asked for. It runs no handler.
    let set = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &action, old, SIZE) };
    check_long(set).map(drop)
}

pub(super) fn is_ignored(signal: c_int) -> Result<bool, Errno> {
    let mut found = KernelAction::default();
    let new = std::ptr::null::<KernelAction>();
    // SAFETY: the action is writable and no smaller than the kernel's; no new one is given.
    let got = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, &mut found, SIZE) };
    check_long(got)?;
    Ok(found.handler == libc::SIG_IGN)
}

pub(super) fn full_mask() -> RawMask {
    u64::MAX
}

pub(super) fn empty_mask() -> RawMask {
    0
}

pub(super) fn is_empty(mask: &RawMask) -> bool {
    *mask == 0
}

pub(super) fn swap_mask(to: &RawMask) -> Result<RawMask, Errno> {
    let mut old = 0;
    // SAFETY: both masks are of the size that is given.
    let set = unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, to as *const u64, &mut old, SIZE)
    };
    check_long(set)?;
    Ok(old)
}

pub(super) fn current_mask() -> Result<RawMask, Errno> {
    let mut found = 0;
    let new = std::ptr::null::<u64>();
    // SAFETY: the mask is of the size that is given; no new one is.
    let got = unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, new, &mut found, SIZE)
    };
    check_long(got)?;
    Ok(found)
}
