//! The environment as the kernel and the C library hold it.

use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::OsStringExt;

/// An array of strings as execve(2) takes them, laid ready.
#[derive(Debug)]
pub struct CStrings {
    // What `pointers` points into.
    strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

// SAFETY: the pointers are into heap strings that this structure owns and never changes.
unsafe impl Send for CStrings {}
// SAFETY: as above: shared use only reads.
unsafe impl Sync for CStrings {}

impl CStrings {
    /// Lays the array ready; `None` if one of them has a NUL byte in it.
    #[must_use]
    pub fn new(strings: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let strings: Vec<CString> =
            strings.into_iter().map(|s| CString::new(s.into_vec()).ok()).collect::<Option<_>>()?;
        let mut pointers: Vec<_> = strings.iter().map(|s| s.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Some(Self { strings, pointers })
    }

    /// Lays an environment ready, each as `NAME=VALUE`.
    #[must_use]
    pub fn environment(variables: &[(OsString, OsString)]) -> Option<Self> {
        Self::new(variables.iter().map(|(name, value)| {
            let mut line = name.clone();
            line.push("=");
            line.push(value);
            line
        }))
    }

    /// The strings.
    pub fn iter(&self) -> impl Iterator<Item = &CStr> {
        self.strings.iter().map(CString::as_c_str)
    }

    pub(crate) fn as_ptr(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }
}

/// Makes this the environment of the process, for good. For a process that locks
/// itself in, while no other thread reads the environment.
///
/// # References
/// environ(7)
pub fn replace(with: &'static CStrings) {
    // SAFETY: the array is NULL-terminated, of NUL-terminated strings, and lives for
    // ever; that no other thread reads the environment is the caller's promise, kept
    // by `enter` refusing to run beside other threads.
    unsafe { set_environ(with.as_ptr().cast_mut().cast()) };
}

/// Whether this is the environment of the process.
#[must_use]
pub fn is_in_force(strings: &CStrings) -> bool {
    // SAFETY: reads a pointer that only `replace` and the C library write.
    unsafe { get_environ() }.cast_const().cast() == strings.as_ptr()
}

cfg_if::cfg_if! {
    if #[cfg(target_os = "macos")] {
        unsafe fn set_environ(to: *mut *mut libc::c_char) {
            // SAFETY: no arguments, cannot fail.
            let environ = unsafe { libc::_NSGetEnviron() };
            // SAFETY: it is where the process's pointer is, which the caller promises that
            // nobody reads now.
            unsafe { *environ = to };
        }
        unsafe fn get_environ() -> *mut *mut libc::c_char {
            // SAFETY: no arguments, cannot fail.
            let environ = unsafe { libc::_NSGetEnviron() };
            // SAFETY: it is where the process's pointer is.
            unsafe { *environ }
        }
    } else {
        unsafe extern "C" {
            static mut environ: *mut *mut libc::c_char;
        }
        unsafe fn set_environ(to: *mut *mut libc::c_char) {
            // SAFETY: the caller's promise that nobody reads it now.
            unsafe { environ = to };
        }
        unsafe fn get_environ() -> *mut *mut libc::c_char {
            // SAFETY: a pointer-sized read.
            unsafe { environ }
        }
    }
}
