//! The little of stat(2) that tells whether a file is dangerous, asked for as cheaply as the system lets.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "brief/linux.rs"]
        mod os;
    } else {
        #[path = "brief/posix.rs"]
        mod os;
    }
}

use std::ffi::CStr;
use std::os::fd::AsFd;

use crate::listing::Kind;
use crate::meta::Meta;

/// As [`Meta`], without size and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Brief {
    /// The device that holds the file.
    pub dev: u64,
    /// Its number there.
    pub ino: u64,
    /// Type and permissions.
    pub mode: u32,
    /// How many names it has.
    pub nlink: u64,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Which device it is, if it is one.
    pub rdev: u64,
    /// Whether something is mounted there, a bind mount of the same file system included; `None` where the system
    /// does not tell, and only another `dev` shows it.
    pub mounted: Option<bool>,
}

impl Brief {
    /// Of the name `name` in the directory `dir`: of a symbolic link itself. It mounts nothing, and what a network file
    /// system remembers will do.
    ///
    /// # Errors
    /// What statx(2) or fstatat(2) gives.
    ///
    /// # References
    /// statx(2), fstatat(2)
    ///
    /// ```
    /// let root = std::fs::File::open("/")?;
    /// let etc = isol_sys::brief::Brief::at(&root, c"etc")?;
    /// assert_eq!(etc.kind(), isol_sys::listing::Kind::Directory);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn at(dir: impl AsFd, name: &CStr) -> nix::Result<Self> {
        os::at(dir.as_fd(), name)
    }

    /// Of an open file, one that is opened as a mere path (`O_PATH`) too.
    ///
    /// # Errors
    /// What statx(2) or fstat(2) gives.
    pub fn of(file: impl AsFd) -> nix::Result<Self> {
        os::of(file.as_fd())
    }

    /// Of what the symbolic link `name` leads to from here, out of any root.
    ///
    /// # Errors
    /// What statx(2) or fstatat(2) gives: ENOENT if it leads nowhere.
    pub fn behind(dir: impl AsFd, name: &CStr) -> nix::Result<Self> {
        os::behind(dir.as_fd(), name)
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::of_mode(self.mode)
    }

    /// Whether it is a block device.
    #[must_use]
    pub fn is_block_device(&self) -> bool {
        self.mode & 0o170_000 == 0o060_000
    }

    /// The permission bits, set-id and sticky included.
    #[must_use]
    pub fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// Device and number: which file it is.
    #[must_use]
    pub fn id(&self) -> (u64, u64) {
        (self.dev, self.ino)
    }
}

impl From<Meta> for Brief {
    fn from(meta: Meta) -> Self {
        let Meta { dev, ino, mode, nlink, uid, gid, rdev, .. } = meta;
        Self { dev, ino, mode, nlink, uid, gid, rdev, mounted: None }
    }
}
