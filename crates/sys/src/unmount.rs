//! Taking away what is mounted.

cfg_if::cfg_if! {
    if #[cfg(target_os = "freebsd")] {
        #[path = "unmount/freebsd.rs"]
        mod system;
    } else {
        #[path = "unmount/none.rs"]
        mod system;
    }
}

use std::path::Path;

use isol_core::Errno;

/// Takes away what is mounted below a directory, or from there, where a mount outlives the process that made it. Busy or not.
///
/// # Errors
/// As getfsstat(2) and unmount(2).
///
/// # References
/// getfsstat(2), unmount(2)
pub fn below(top: &Path) -> Result<(), Errno> {
    system::below(top)
}
