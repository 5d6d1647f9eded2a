//! Taking away what is mounted.

cfg_if::cfg_if! {
    if #[cfg(target_os = "freebsd")] {
        #[path = "unmount/freebsd.rs"]
        mod system;
    } else if #[cfg(target_os = "linux")] {
        #[path = "unmount/linux.rs"]
        mod system;
    } else {
        #[path = "unmount/none.rs"]
        mod system;
    }
}

use std::path::Path;

use isol_core::Errno;

/// Takes away what is mounted below a directory, in this process's mount namespace where the system has such; on FreeBSD
/// also what is mounted from there. Busy or not.
///
/// # Errors
/// As getfsstat(2) and unmount(2); on Linux as of reading /proc/self/mountinfo, and umount2(2).
///
/// # References
/// getfsstat(2), unmount(2); proc_pid_mountinfo(5), umount2(2): `MNT_DETACH`, `UMOUNT_NOFOLLOW`
pub fn below(top: &Path) -> Result<(), Errno> {
    system::below(top)
}
