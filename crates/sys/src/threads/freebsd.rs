//! FreeBSD: the kernel's record of this process, with one entry for each thread.

use std::io;

pub(super) fn others() -> io::Result<usize> {
    // SAFETY: no arguments, cannot fail.
    let pid = unsafe { libc::getpid() };
    let name =
        [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID | libc::KERN_PROC_INC_THREAD, pid];
    let mut size = 0;
    // SAFETY: the name has four elements; only the size is asked for.
    let asked = unsafe {
        libc::sysctl(name.as_ptr(), 4, std::ptr::null_mut(), &mut size, std::ptr::null(), 0)
    };
    if asked == -1 {
        return Err(io::Error::last_os_error());
    }
    let mut buffer = vec![0_u8; size];
    // SAFETY: the buffer is writable for the size that is given.
    let got = unsafe {
        libc::sysctl(name.as_ptr(), 4, buffer.as_mut_ptr().cast(), &mut size, std::ptr::null(), 0)
    };
    if got == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok((size / size_of::<libc::kinfo_proc>()).saturating_sub(1))
}
