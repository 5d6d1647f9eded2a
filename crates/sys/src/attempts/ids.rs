//! Calls that change ids, each by itself.

use isol_core::Errno;

use crate::errno::check;

/// What the kernel says that this process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Real, effective, saved uid. Where the saved one can't be read, the effective one stands for it.
    pub uids: [u32; 3],
    /// Real, effective, saved gid.
    pub gids: [u32; 3],
    /// The supplementary groups, as the kernel lists them.
    pub groups: Vec<u32>,
}

/// What the kernel says that this process is.
///
/// # References
/// getresuid(2), getgroups(2)
#[must_use]
pub fn ids() -> Ids {
    let groups = nix_groups();
    Ids { uids: system::uids(), gids: system::gids(), groups }
}

fn nix_groups() -> Vec<u32> {
    // SAFETY: with no room asked for, nothing is written.
    let count = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    let mut groups = vec![0; usize::try_from(count).unwrap_or(0)];
    // SAFETY: the buffer has room for `count` ids.
    let count = unsafe { libc::getgroups(count, groups.as_mut_ptr()) };
    groups.truncate(usize::try_from(count).unwrap_or(0));
    groups
}

macro_rules! attempts {
    ($($(#[$doc:meta])* $name:ident($($argument:ident),*);)*) => {
        $($(#[$doc])*
        ///
        /// # Errors
        /// As the call of that name.
        pub fn $name($($argument: u32),*) -> Result<(), Errno> {
            // SAFETY: takes numbers only.
            check(unsafe { libc::$name($($argument),*) }).map(drop)
        })*
    };
}

attempts! {
    /// setuid(2)
    setuid(uid);
    /// seteuid(2)
    seteuid(uid);
    /// setreuid(2)
    setreuid(real, effective);
    /// setgid(2)
    setgid(gid);
    /// setegid(2)
    setegid(gid);
    /// setregid(2)
    setregid(real, effective);
}

/// setgroups(2)
///
/// # Errors
/// As setgroups(2).
pub fn setgroups(groups: &[u32]) -> Result<(), Errno> {
    // SAFETY: the list is readable for its length.
    check(unsafe { libc::setgroups(groups.len() as _, groups.as_ptr()) }).map(drop)
}

pub use system::{setresgid, setresuid};

cfg_if::cfg_if! {
    if #[cfg(target_os = "macos")] {
        mod system {
            use super::Errno;

            /// Not on this system.
            ///
            /// # Errors
            /// Always `ENOSYS`.
            pub fn setresuid(_real: u32, _effective: u32, _saved: u32) -> Result<(), Errno> {
                Err(crate::errno::NOT_HERE)
            }

            /// Not on this system.
            ///
            /// # Errors
            /// Always `ENOSYS`.
            pub fn setresgid(_real: u32, _effective: u32, _saved: u32) -> Result<(), Errno> {
                Err(crate::errno::NOT_HERE)
            }

            pub(super) fn uids() -> [u32; 3] {
                // SAFETY: no arguments, cannot fail.
                let effective = unsafe { libc::geteuid() };
                // SAFETY: no arguments, cannot fail.
                [unsafe { libc::getuid() }, effective, effective]
            }

            pub(super) fn gids() -> [u32; 3] {
                // SAFETY: no arguments, cannot fail.
                let effective = unsafe { libc::getegid() };
                // SAFETY: no arguments, cannot fail.
                [unsafe { libc::getgid() }, effective, effective]
            }
        }
    } else {
        mod system {
            use super::{Errno, check};

            /// setresuid(2)
            ///
            /// # Errors
            /// As setresuid(2).
            pub fn setresuid(real: u32, effective: u32, saved: u32) -> Result<(), Errno> {
                // SAFETY: takes numbers only.
                check(unsafe { libc::setresuid(real, effective, saved) }).map(drop)
            }

            /// setresgid(2)
            ///
            /// # Errors
            /// As setresgid(2).
            pub fn setresgid(real: u32, effective: u32, saved: u32) -> Result<(), Errno> {
                // SAFETY: takes numbers only.
                check(unsafe { libc::setresgid(real, effective, saved) }).map(drop)
            }

            pub(super) fn uids() -> [u32; 3] {
                let mut ids = [u32::MAX; 3];
                let [real, effective, saved] = &mut ids;
                // SAFETY: three writable numbers.
                unsafe { libc::getresuid(real, effective, saved) };
                ids
            }

            pub(super) fn gids() -> [u32; 3] {
                let mut ids = [u32::MAX; 3];
                let [real, effective, saved] = &mut ids;
                // SAFETY: three writable numbers.
                unsafe { libc::getresgid(real, effective, saved) };
                ids
            }
        }
    }
}
