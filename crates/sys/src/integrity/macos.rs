//! macOS: csr_check, by its name, so that a system without it is an answer and no program
//! that can't be loaded.

use isol_core::Errno;

use super::Protection;

/// `CSR_ALLOW_UNRESTRICTED_FS` of XNU's `bsd/sys/csr.h`.
const UNRESTRICTED_FILES: u32 = 1 << 1;

type CsrCheck = unsafe extern "C" fn(u32) -> libc::c_int;

pub(super) fn protection() -> Protection {
    // SAFETY: the name is a NUL-terminated literal; a library that is loaded has it or none.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"csr_check".as_ptr()) };
    if found.is_null() {
        return Protection::Unknown(Errno(libc::ENOSYS));
    }
    // SAFETY: the function of this name takes one mask of 32 bits and returns an int, in
    // every system that has it.
    let csr_check: CsrCheck = unsafe { std::mem::transmute(found) };
    // SAFETY: takes a number.
    match crate::errno::check(unsafe { csr_check(UNRESTRICTED_FILES) }) {
        Ok(_) => Protection::Off,
        Err(Errno(libc::EPERM)) => Protection::On,
        Err(errno) => Protection::Unknown(errno),
    }
}
