//! Access lists that do not show in a file's permission bits.

cfg_if::cfg_if! {
    if #[cfg(target_os = "macos")] {
        #[path = "acl/macos.rs"]
        mod system;
    } else if #[cfg(target_os = "freebsd")] {
        mod nfs4;
        #[path = "acl/freebsd.rs"]
        mod system;
    } else {
        #[cfg(test)]
        mod nfs4;
        #[path = "acl/none.rs"]
        mod system;
    }
}

use std::os::fd::AsFd;

use nix::NixPath;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

/// The command that takes a list off a file.
pub(crate) const REMOVE: &str = system::REMOVE;

/// Whether an open file has an access list that may let somebody else than its owner change it, of which its permission
/// bits know nothing. On macOS, whether one allows anybody anything: what it allows is not looked at there.
///
/// # Errors
/// What acl_get_fd_np(3) gives; a file without a list is no error.
///
/// # References
/// acl(5), where the lists of POSIX.1e show in the group's bits; acl_get_fd_np(3), acl(3) on FreeBSD and chmod(1) on
/// macOS, where others are beside the bits
pub fn allows_beside_the_mode(file: impl AsFd) -> nix::Result<bool> {
    system::allows_beside_the_mode(file.as_fd())
}

/// The same of what has the name `name` in the directory `dir`, which is no symbolic link. It is opened only where there
/// can be such lists.
///
/// # Errors
/// As above, and what openat(2) gives.
///
/// # References
/// openat(2)
///
/// ```
/// let dir = std::fs::File::open("/dev")?;
/// assert!(!isol_sys::acl::allows_beside_the_mode_at(&dir, "null")?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn allows_beside_the_mode_at<P: ?Sized + NixPath>(
    dir: impl AsFd,
    name: &P,
) -> nix::Result<bool> {
    if !system::BESIDE_THE_MODE {
        return Ok(false);
    }
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = openat(dir, name, flags | OFlag::O_CLOEXEC, Mode::empty())?;
    allows_beside_the_mode(file)
}
