//! The environment as the kernel and the C library hold it.

use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::sync::atomic::Ordering;

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

/// Makes this the environment of the process, for good. For a process that locks itself in, while no other thread
/// changes the environment. One that reads it meanwhile, because the caller lets other threads be, goes on with the one
/// before: neither is ever freed.
///
/// # References
/// environ(7)
pub fn replace(with: &'static CStrings) {
    system::place().store(with.as_ptr().cast_mut().cast(), Ordering::Release);
}

/// Whether this is the environment of the process.
#[must_use]
pub fn is_in_force(strings: &CStrings) -> bool {
    system::place().load(Ordering::Acquire).cast_const().cast() == strings.as_ptr()
}

cfg_if::cfg_if! {
    if #[cfg(target_os = "macos")] {
        mod system {
            use std::sync::atomic::AtomicPtr;

            /// Where the C library has the address of the environment.
            pub(super) fn place() -> &'static AtomicPtr<*mut libc::c_char> {
                // SAFETY: no arguments, cannot fail.
                let place = unsafe { libc::_NSGetEnviron() };
                // SAFETY: an aligned pointer that is there as long as the process. The C library reads and writes it
                // as a whole.
                unsafe { AtomicPtr::from_ptr(place) }
            }
        }
    } else {
        mod system {
            use std::sync::atomic::AtomicPtr;

            unsafe extern "C" {
                static mut environ: *mut *mut libc::c_char;
            }

            /// Where the C library has the address of the environment.
            pub(super) fn place() -> &'static AtomicPtr<*mut libc::c_char> {
                let place = &raw mut environ;
                // SAFETY: an aligned pointer that is there as long as the process. The C library reads and writes it
                // as a whole.
                unsafe { AtomicPtr::from_ptr(place) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_array_leads_to_the_strings_and_ends() {
        let pairs = [("A", "1"), ("B", "")].map(|(n, v)| (n.into(), v.into()));
        let made = CStrings::environment(&pairs).unwrap();
        let made = std::thread::spawn(move || made).join().unwrap();
        let first = made.as_ptr();
        // SAFETY: there are two, and the null pointer behind them.
        let found = unsafe { std::slice::from_raw_parts(first, 3) };
        for (place, text) in found.iter().zip([c"A=1", c"B="]) {
            // SAFETY: each leads to a string that ends in NUL and is there as long as `made`.
            assert_eq!(unsafe { CStr::from_ptr(*place) }, text);
        }
        assert!(found[2].is_null());
        assert!(!is_in_force(&made));
        assert!(CStrings::new(["a\0b".into()]).is_none());
    }
}
