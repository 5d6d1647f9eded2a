//! File capabilities: privileges that a file gives to whoever executes it.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "xattr/linux.rs"]
        mod os;
    } else {
        #[path = "xattr/none.rs"]
        mod os;
    }
}

use std::os::fd::AsFd;

/// Whether an open file has capabilities (Linux's `security.capability`). Systems without them answer no.
///
/// # Errors
/// What fgetxattr(2) gives; a file system without extended attributes is no error.
///
/// # References
/// capabilities(7), xattr(7), fgetxattr(2)
///
/// ```
/// let file = std::fs::File::open("/dev/null")?;
/// assert!(!isol_sys::xattr::has_file_capabilities(&file)?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn has_file_capabilities(file: impl AsFd) -> nix::Result<bool> {
    os::has_file_capabilities(file.as_fd())
}

/// The capabilities of an open file as the kernel keeps them, if it has any.
///
/// # Errors
/// As [`has_file_capabilities`].
///
/// # References
/// capabilities(7), fgetxattr(2)
pub fn file_capabilities(file: impl AsFd) -> nix::Result<Option<Vec<u8>>> {
    os::file_capabilities(file.as_fd())
}

/// Gives an open file the capabilities that [`file_capabilities`] gave.
///
/// # Errors
/// What fsetxattr(2) gives; ENOTSUP on systems without them.
///
/// # References
/// capabilities(7), fsetxattr(2)
pub fn set_file_capabilities(file: impl AsFd, value: &[u8]) -> nix::Result<()> {
    os::set_file_capabilities(file.as_fd(), value)
}
