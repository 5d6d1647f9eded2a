//! System calls without the C library: for processes that share their memory, and so errno, with another that runs.

use isol_core::Errno;

/// Makes a system call that takes up to five arguments, and leaves errno alone.
///
/// # Safety
/// As the call's.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn call(number: libc::c_long, arguments: [usize; 5]) -> Result<usize, Errno> {
    let [a, b, c, d, e] = arguments;
    let found: isize;
    // SAFETY: the caller's affair; the kernel changes these registers only.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => found,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    answered(found)
}

/// The same.
///
/// # Safety
/// As the call's.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn call(number: libc::c_long, arguments: [usize; 5]) -> Result<usize, Errno> {
    let [a, b, c, d, e] = arguments;
    let found: isize;
    // SAFETY: as above.
    unsafe {
        std::arch::asm!(
            "svc 0",
            inlateout("x0") a as isize => found,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            in("x4") e,
            in("x8") number,
            options(nostack),
        );
    }
    answered(found)
}

/// Where nobody has written the above. There is no such process there either.
///
/// # Safety
/// As the call's.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) unsafe fn call(number: libc::c_long, arguments: [usize; 5]) -> Result<usize, Errno> {
    let [a, b, c, d, e] = arguments;
    // SAFETY: the caller's affair.
    crate::errno::check_long(unsafe { libc::syscall(number, a, b, c, d, e) }).map(|n| n as usize)
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn answered(found: isize) -> Result<usize, Errno> {
    match found {
        -4095..0 => Err(Errno(-found as i32)),
        _ => Ok(found as usize),
    }
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn answers_are_numbers_or_errors_and_errno_is_left_alone() {
        // SAFETY: takes no address.
        let asked = |number, first| unsafe { call(number, [first, 0, 0, 0, 0]) };
        assert_eq!(asked(libc::SYS_getpid, 0), Ok(std::process::id() as usize));
        // SAFETY: takes a number that is none of a descriptor.
        unsafe { libc::close(-1) };
        assert_eq!(asked(libc::SYS_dup3, 0), Err(Errno(libc::EINVAL)));
        assert_eq!(crate::errno::last(), Errno(libc::EBADF));
    }
}
