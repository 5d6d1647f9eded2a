//! Access lists that do not show in a file's permission bits.

cfg_if::cfg_if! {
    if #[cfg(target_os = "macos")] {
        #[path = "acl/macos.rs"]
        mod system;
    } else {
        #[path = "acl/none.rs"]
        mod system;
    }
}

use std::os::fd::AsFd;

/// Whether an open file has an access list that allows somebody something, of which its
/// permission bits know nothing. What it allows is not looked at.
///
/// # Errors
/// What acl_get_fd_np(3) gives; a file without a list is no error.
///
/// # References
/// acl(5), where the lists of POSIX.1e show in the group's bits; acl_get_fd_np(3), chmod(1)
/// on macOS, where they are beside the bits
pub fn allows_beside_the_mode(file: impl AsFd) -> nix::Result<bool> {
    system::allows_beside_the_mode(file.as_fd())
}
