//! What `stat(2)` says of one file, in the same integer types on every system.

use std::os::fd::AsFd;

use nix::NixPath;
use nix::fcntl::AtFlags;
use nix::sys::stat::{FileStat, fstat, fstatat};

// The same on every Unix, in integer types that differ.
const S_IFMT: u32 = 0o170_000;
const S_IFBLK: u32 = 0o060_000;
const S_IFCHR: u32 = 0o020_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFLNK: u32 = 0o120_000;
const S_IFREG: u32 = 0o100_000;
const S_IFSOCK: u32 = 0o140_000;

/// The part of `struct stat` that isol looks at.
///
/// # References
/// stat(2)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Meta {
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
    /// Its length in bytes.
    pub size: u64,
    /// When its contents last changed: seconds.
    pub mtime: i64,
    /// When its contents last changed: nanoseconds.
    pub mtime_nsec: i64,
    /// When anything of it last changed: seconds. Nobody can set it back.
    pub ctime: i64,
    /// When anything of it last changed: nanoseconds.
    pub ctime_nsec: i64,
}

impl Meta {
    /// Of an open file.
    ///
    /// # Errors
    /// What fstat(2) gives.
    ///
    /// ```
    /// let dir = std::fs::File::open("/")?;
    /// assert!(isol_sys::meta::Meta::of(&dir)?.is_dir());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn of(file: impl AsFd) -> nix::Result<Self> {
        fstat(file).map(|stat| Self::from(&stat))
    }

    /// Of a directory of root's that is yet to be made.
    #[must_use]
    pub fn of_new_directory(permissions: u32) -> Self {
        Self {
            dev: 0,
            ino: 0,
            mode: S_IFDIR | permissions,
            nlink: 2,
            uid: 0,
            gid: 0,
            rdev: 0,
            size: 0,
            mtime: 0,
            mtime_nsec: 0,
            ctime: 0,
            ctime_nsec: 0,
        }
    }

    /// Of the name `name` in the directory `dir`: of a symbolic link itself, not of what it points to.
    ///
    /// # Errors
    /// What fstatat(2) gives.
    pub fn at<P: ?Sized + NixPath>(dir: impl AsFd, name: &P) -> nix::Result<Self> {
        fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW).map(|stat| Self::from(&stat))
    }

    /// The permission bits, set-id and sticky included.
    #[must_use]
    pub fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.format() == S_IFDIR
    }

    /// Whether it is a regular file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.format() == S_IFREG
    }

    /// Whether it is a symbolic link.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.format() == S_IFLNK
    }

    /// Whether it is a character device.
    #[must_use]
    pub fn is_char_device(&self) -> bool {
        self.format() == S_IFCHR
    }

    /// Whether it is a block device.
    #[must_use]
    pub fn is_block_device(&self) -> bool {
        self.format() == S_IFBLK
    }

    /// Whether it is a socket.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        self.format() == S_IFSOCK
    }

    /// Whether the group or everybody may write to it. POSIX access lists show up here too: their mask
    /// is what the group bits say.
    #[must_use]
    pub fn writable_by_others(&self) -> bool {
        self.mode & 0o022 != 0
    }

    /// Whether both are the same file.
    #[must_use]
    pub fn same_file(&self, other: &Self) -> bool {
        self.dev == other.dev && self.ino == other.ino
    }

    fn format(&self) -> u32 {
        self.mode & S_IFMT
    }
}

impl From<&FileStat> for Meta {
    // The fields' types differ from system to system; none is wider than what it becomes here.
    #[allow(clippy::unnecessary_cast)]
    fn from(stat: &FileStat) -> Self {
        Self {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            mode: stat.st_mode as u32,
            nlink: stat.st_nlink as u64,
            uid: stat.st_uid,
            gid: stat.st_gid,
            rdev: stat.st_rdev as u64,
            size: stat.st_size as u64,
            mtime: stat.st_mtime as i64,
            mtime_nsec: stat.st_mtime_nsec as i64,
            ctime: stat.st_ctime as i64,
            ctime_nsec: stat.st_ctime_nsec as i64,
        }
    }
}

/// Whether a directory, by its name in another one, has nothing in it. No link is followed.
///
/// # Errors
/// As openat(2) and readdir(3).
pub fn is_empty_directory<P: ?Sized + NixPath>(dir: impl AsFd, name: &P) -> nix::Result<bool> {
    use nix::fcntl::OFlag;
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut opened = nix::dir::Dir::openat(dir, name, flags, nix::sys::stat::Mode::empty())?;
    for entry in opened.iter() {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn kinds_are_told_apart() {
        let root = std::fs::File::open("/").unwrap();
        assert!(Meta::of(&root).unwrap().is_dir());
        let null = Meta::at(&root, "dev/null").unwrap();
        assert!(null.is_char_device() && !null.is_file() && null.writable_by_others());
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("link")).unwrap();
        assert!(Meta::at(&root, &dir.path().join("link")).unwrap().is_symlink());
    }
}
