//! Calls of the kernel's that anybody may make, and that no daemon needs.

use std::os::fd::{OwnedFd, RawFd};

use isol_core::Errno;
use libc::{c_int, c_long, c_ulong};

use super::owned;
use crate::errno::{check, check_long};

/// An array in the kernel.
///
/// # Errors
/// As bpf(2).
pub fn bpf_map() -> Result<OwnedFd, Errno> {
    const MAP_CREATE: c_long = 0;
    const ARRAY: u32 = 2;
    // Type, size of keys, size of values, how many.
    let mut attributes = [0_u32; 16];
    attributes[..4].copy_from_slice(&[ARRAY, 4, 4, 1]);
    // SAFETY: the attributes are readable for the size that is given.
    owned(unsafe {
        libc::syscall(libc::SYS_bpf, MAP_CREATE, attributes.as_ptr(), size_of_val(&attributes))
    })
}

/// A counter of this process's time, in user space.
///
/// # Errors
/// As perf_event_open(2).
pub fn performance_counter() -> Result<OwnedFd, Errno> {
    const SOFTWARE: u32 = 1;
    const EXCLUDE_KERNEL: u64 = 1 << 5;
    const SIZE: u32 = 64;
    let mut attributes = [0_u64; SIZE as usize / 8];
    attributes[0] = u64::from(SOFTWARE) | u64::from(SIZE) << 32;
    attributes[5] = EXCLUDE_KERNEL;
    let (this, any, none) = (0, -1, -1);
    // SAFETY: the attributes are readable, and as large as they say.
    owned(unsafe {
        libc::syscall(libc::SYS_perf_event_open, attributes.as_ptr(), this, any, none, 0)
    })
}

/// A descriptor that holds this process's own page faults up.
///
/// # Errors
/// As userfaultfd(2).
pub fn hold_page_faults() -> Result<OwnedFd, Errno> {
    const USER_MODE_ONLY: c_int = 1;
    // SAFETY: takes a number.
    owned(unsafe { libc::syscall(libc::SYS_userfaultfd, USER_MODE_ONLY | libc::O_CLOEXEC) })
}

/// A ring on which calls are made that no filter sees.
///
/// # Errors
/// As io_uring_setup(2).
pub fn ring() -> Result<OwnedFd, Errno> {
    let mut parameters = [0_u32; 30];
    // SAFETY: `struct io_uring_params` has 120 bytes, and they are writable.
    owned(unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr()) })
}

/// The size of the kernel's log.
///
/// # Errors
/// As syslog(2).
pub fn kernel_log() -> Result<usize, Errno> {
    const SIZE_BUFFER: c_int = 10;
    // SAFETY: no buffer is asked for.
    let size = check(unsafe { libc::klogctl(SIZE_BUFFER, std::ptr::null_mut(), 0) })?;
    Ok(size as usize)
}

/// Whether clone3(2), whose flags no filter sees, gets as far as the kernel: without arguments it is `EINVAL` there.
#[must_use]
pub fn reaches_clone3() -> bool {
    let nothing = std::ptr::null::<u8>();
    // SAFETY: a size of 0 is refused before anything is read.
    let answer = unsafe { libc::syscall(libc::SYS_clone3, nothing, 0) };
    check_long(answer) != Err(crate::errno::NOT_HERE)
}

/// Whether TIOCSTI or TIOCLINUX gets as far as a descriptor that is of no terminal: there it is `ENOTTY`. With bits set
/// that the kernel does not look at, too.
///
/// # Errors
/// What the call answered before it got there.
pub fn reaches_terminals(fd: RawFd) -> Result<(), Errno> {
    const TIOCLINUX: c_ulong = 0x541c;
    const UNSEEN: c_ulong = 1 << 32;
    let mut refused = Errno(libc::EPERM);
    for request in [libc::TIOCSTI as c_ulong, TIOCLINUX] {
        for request in [request, request | UNSEEN] {
            let nothing = std::ptr::null::<u8>();
            // SAFETY: a descriptor that is of no terminal knows neither request.
            match check_long(unsafe { libc::syscall(libc::SYS_ioctl, fd, request, nothing) }) {
                Err(Errno(libc::ENOTTY)) | Ok(_) => return Ok(()),
                Err(errno) => refused = errno,
            }
        }
    }
    Err(refused)
}

/// Makes a call as a program of i386 does, by `int 0x80`, in which getpid(2) has the number 20. The pid, or the errno
/// as a negative number.
///
/// # Errors
/// `ENOSYS` on machines that have no such architecture beside their own.
pub fn ask_as_i386() -> Result<i32, Errno> {
    #[cfg(target_arch = "x86_64")]
    {
        const GETPID: i64 = 20;
        let answer: i64;
        // SAFETY: getpid(2) reads and writes no memory; the kernel keeps every register but rax, and r8 to r11.
        unsafe {
            std::arch::asm!(
                "int 0x80",
                inlateout("rax") GETPID => answer,
                out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            );
        }
        Ok(answer as i32)
    }
    #[cfg(not(target_arch = "x86_64"))]
    Err(crate::errno::NOT_HERE)
}

/// Makes a call by the numbers of x86-64's x32 ABI: getpid(2).
///
/// # Errors
/// `ENOSYS` from a kernel without it.
pub fn ask_as_x32() -> Result<i32, Errno> {
    const X32: c_long = 0x4000_0000;
    const GETPID: c_long = 39;
    if !cfg!(target_arch = "x86_64") {
        return Err(crate::errno::NOT_HERE);
    }
    // SAFETY: takes nothing.
    check_long(unsafe { libc::syscall(X32 | GETPID) }).map(|pid| pid as i32)
}
