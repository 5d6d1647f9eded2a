//! Taking permissions away from an open file, whatever has become of its name.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "amend/linux.rs"]
        mod os;
    } else {
        #[path = "amend/posix.rs"]
        mod os;
    }
}

use std::os::fd::AsFd;

/// Sets the permission bits of a file that was opened by [`below::handle`](crate::below::handle).
///
/// # Errors
/// What fchmodat2(2), chmod(2) or fchmod(2) gives. EOPNOTSUPP for a symbolic link.
///
/// # References
/// fchmodat2(2), fchmod(2)
///
/// ```
/// use isol_sys::{amend, below, brief::Brief};
/// let dir = tempfile::tempdir()?;
/// std::fs::write(dir.path().join("f"), "")?;
/// let file = below::handle(std::fs::File::open(dir.path())?, c"f")?;
/// amend::set_mode(&file, 0o500)?;
/// assert_eq!(Brief::of(&file)?.permissions(), 0o500);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn set_mode(file: impl AsFd, mode: u32) -> nix::Result<()> {
    os::set_mode(file.as_fd(), mode)
}

/// Gives such a file another owner.
///
/// # Errors
/// What fchownat(2) or fchown(2) gives.
///
/// # References
/// fchownat(2), `AT_EMPTY_PATH`; fchown(2)
pub fn set_owner(file: impl AsFd, uid: u32) -> nix::Result<()> {
    os::set_owner(file.as_fd(), uid)
}
