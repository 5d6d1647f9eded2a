//! The one device that hardly any program can do without.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "device/linux.rs"]
        mod os;
    } else {
        #[path = "device/none.rs"]
        mod os;
    }
}

use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};

/// Makes a null device by the name `null` in the directory `dir`, for everybody to read and write, whatever the umask.
///
/// A node that is there but can't be opened, as on a file system mounted `nodev`, is of no use: it is taken away again.
/// FreeBSD and macOS have working devices in devfs only, so there the answer is always ENOTSUP.
///
/// # Errors
/// What mknodat(2) or the first openat(2) gives: EPERM without the privilege, EACCES on a `nodev` file system.
///
/// # References
/// mknod(2), null(4)
///
/// ```no_run
/// let dev = std::fs::File::open("/srv/www/dev")?;
/// isol_sys::device::make_null(&dev)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn make_null(dir: impl AsFd) -> nix::Result<()> {
    let dir = dir.as_fd();
    os::make_null(dir)?;
    let flags = OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    match openat(dir, "null", flags, Mode::empty()) {
        Ok(_) => Ok(()),
        Err(e) => {
            match unlinkat(dir, "null", UnlinkatFlags::NoRemoveDir) {
                Ok(()) | Err(Errno::ENOENT) => {}
                Err(other) => return Err(other),
            }
            Err(e)
        }
    }
}

/// The two parts of a device's number, as `ls -l` shows them.
///
/// # References
/// makedev(3)
///
/// ```
/// # #[cfg(target_os = "linux")]
/// assert_eq!(isol_sys::device::numbers(0x103), (1, 3));
/// ```
#[must_use]
// The types differ from system to system.
#[allow(clippy::unnecessary_cast)]
pub fn numbers(device: u64) -> (u64, u64) {
    let device = device as libc::dev_t;
    (libc::major(device) as u64, libc::minor(device) as u64)
}
