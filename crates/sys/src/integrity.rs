//! System Integrity Protection of macOS: while it is on, no program can be executed in a root
//! that is not the system's own.
//!
//! Every program there is dynamic. Its loader maps the system's libraries from a cache, and
//! the kernel keeps what is mapped apart for each root directory: in a root of its own a
//! program needs a cache in that root. With the protection on, the kernel maps only one that
//! is a protected file, and nobody can make such a file.

use isol_core::Errno;

cfg_if::cfg_if! {
    if #[cfg(target_os = "macos")] {
        #[path = "integrity/macos.rs"]
        mod system;
    } else {
        #[path = "integrity/none.rs"]
        mod system;
    }
}

/// What the kernel says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// The system has none, or its files are unprotected.
    Off,
    /// Its files are protected.
    On,
    /// It could not be asked.
    Unknown(Errno),
}

/// Whether the system's files are protected.
///
/// The question is the kernel's own: it asks itself the same where it maps a cache.
///
/// # References
/// csrutil(8); csr_check, which has no manual page, in XNU's `bsd/sys/csr.h`
#[must_use]
pub fn protection() -> Protection {
    system::protection()
}
