//! POSIX message queues, which outlive whoever made them, and, on Linux, are the IPC namespace's.

use std::io;

use isol_core::Uid;

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "mqueue/linux.rs"]
        mod system;
    } else {
        mod system {
            use super::{Uid, io};

            pub(super) fn any_of(_uid: Uid) -> io::Result<bool> {
                Ok(false)
            }

            pub(super) fn remove_of(_uid: Uid) -> io::Result<()> {
                Ok(())
            }
        }
    }
}

/// Whether a user has one, as far as the system tells: Linux does, by `/dev/mqueue`, or, from 5.2 on, to root. FreeBSD's
/// mqueuefs(4) is not looked at.
///
/// # Errors
/// As getdents(2) and stat(2).
///
/// # References
/// mq_overview(7)
///
/// ```
/// let nobody = isol_core::Uid::new(4_000_000_001).unwrap();
/// assert!(!isol_sys::mqueue::any_of(nobody)?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn any_of(uid: Uid) -> io::Result<bool> {
    system::any_of(uid)
}

/// Removes those that a user has, as far as [`any_of`] sees them.
///
/// # Errors
/// As unlink(2).
///
/// # References
/// mq_unlink(3)
pub fn remove_of(uid: Uid) -> io::Result<()> {
    system::remove_of(uid)
}
