//! File capabilities: privileges that a file gives to whoever executes it. And access lists, as far as they are attributes.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "xattr/linux.rs"]
        mod os;
    } else {
        #[path = "xattr/none.rs"]
        mod os;
    }
}

use std::ffi::CStr;
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

/// As [`has_file_capabilities`], of the regular file `name` in the directory `dir`; no link is followed.
///
/// # Errors
/// What getxattrat(2) gives, or what openat(2) gives where the kernel lacks that; ELOOP for a symbolic link.
///
/// # References
/// getxattrat(2)
pub fn has_file_capabilities_at(dir: impl AsFd, name: &CStr) -> nix::Result<bool> {
    os::has_file_capabilities_at(dir.as_fd(), name)
}

/// Takes an open file's capabilities away; one that has none is left as it is.
///
/// # Errors
/// What fremovexattr(2) gives.
///
/// # References
/// fremovexattr(2)
pub fn remove_file_capabilities(file: impl AsFd) -> nix::Result<()> {
    os::remove_file_capabilities(file.as_fd())
}

/// Whether an open directory has a default access list, by which new files in it may be writable by others whatever
/// their makers' umask (Linux).
///
/// # Errors
/// What fgetxattr(2) gives; a file system without access lists is no error.
///
/// # References
/// acl(5)
pub fn has_default_access_list(dir: impl AsFd) -> nix::Result<bool> {
    os::has_default_access_list(dir.as_fd())
}

/// Whether an open file has an access list beyond its mode (Linux); what it allows others at most is in the group's
/// permission bits.
///
/// # Errors
/// As [`has_default_access_list`].
pub fn has_access_list(file: impl AsFd) -> nix::Result<bool> {
    os::has_access_list(file.as_fd())
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
