//! The few devices that harm nobody, and that many programs can't do without.

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
    make(dir, Harmless::Null)
}

/// A device that everybody may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Harmless {
    /// `/dev/null`
    Null,
    /// `/dev/zero`
    Zero,
    /// `/dev/full`
    Full,
    /// `/dev/random`
    Random,
    /// `/dev/urandom`
    Urandom,
    /// `/dev/tty`: whatever controlling terminal whoever opens it has.
    Tty,
}

impl Harmless {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Null, Self::Zero, Self::Full, Self::Random, Self::Urandom, Self::Tty];

    /// Its name in `/dev`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Zero => "zero",
            Self::Full => "full",
            Self::Random => "random",
            Self::Urandom => "urandom",
            Self::Tty => "tty",
        }
    }

    /// Its device number; `None` where devices work in devfs only.
    #[must_use]
    pub fn number(self) -> Option<u64> {
        os::number(self)
    }
}

/// Makes a device by its own name in the directory `dir`: as [`make_null`].
///
/// # Errors
/// As [`make_null`].
///
/// # References
/// mknod(2)
pub fn make(dir: impl AsFd, device: Harmless) -> nix::Result<()> {
    let dir = dir.as_fd();
    os::make(dir, device)?;
    // Opening a terminal says whether there is one, not whether the node works.
    if device == Harmless::Tty {
        return Ok(());
    }
    let flags = OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    match openat(dir, device.name(), flags, Mode::empty()) {
        Ok(_) => Ok(()),
        Err(e) => {
            match unlinkat(dir, device.name(), UnlinkatFlags::NoRemoveDir) {
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
