//! Giving something a name that must not be taken yet.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "rename/linux.rs"]
        mod os;
    } else if #[cfg(target_os = "macos")] {
        #[path = "rename/macos.rs"]
        mod os;
    } else {
        #[path = "rename/other.rs"]
        mod os;
    }
}

use std::os::fd::AsFd;
use std::path::Path;

/// Renames `old` in the directory `from` to `new` in the directory `to`, unless there is something by that name.
///
/// In one step on Linux and macOS. Elsewhere it is looked for first: both directories have to be such as nobody else
/// writes to meanwhile.
///
/// # Errors
/// EEXIST if the name is taken, ENOTDIR or EXDEV and so on as rename(2).
///
/// # References
/// renameat2(2), renameatx_np(2)
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let at = std::fs::File::open(dir.path())?;
/// std::fs::write(dir.path().join("a"), "")?;
/// std::fs::write(dir.path().join("b"), "")?;
/// assert!(isol_sys::rename::no_replace(&at, "a".as_ref(), &at, "b".as_ref()).is_err());
/// isol_sys::rename::no_replace(&at, "a".as_ref(), &at, "c".as_ref())?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn no_replace(from: impl AsFd, old: &Path, to: impl AsFd, new: &Path) -> nix::Result<()> {
    os::no_replace(from.as_fd(), old, to.as_fd(), new)
}
