//! Where a tree is, what stands beside it, and who may work on it.

use std::ffi::OsString;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use isol_sys::meta::Meta;
use isol_sys::rootdir::{self, RootDirError};
use isol_sys::state::{Lock, StateDir};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, fsync, geteuid, unlinkat};

use super::{KeepError, Manifest};
use crate::walk::{READ, Sysroot};

/// How long another isol is waited for that works on the same tree: 200 times this.
const PAUSE: Duration = Duration::from_millis(50);

/// A tree that is there, or is to be there.
#[derive(Debug)]
pub(super) struct Place {
    /// The directory that the tree is in.
    parent: OwnedFd,
    /// The tree's name there.
    pub(super) name: OsString,
    /// The path of both.
    pub(super) path: PathBuf,
}

impl Place {
    /// Opens the directory above `dir`, as carefully as a root.
    pub(super) fn of(dir: &Path) -> Result<Self, KeepError> {
        let user = geteuid();
        if !user.is_root() {
            return Err(KeepError::NotRoot { user: user.as_raw() });
        }
        if !dir.is_absolute() {
            return Err(RootDirError::Relative { path: dir.to_owned() }.into());
        }
        if dir.components().any(|part| part.as_os_str() == "..") {
            return Err(RootDirError::DotDot { path: dir.to_owned() }.into());
        }
        let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else {
            return Err(RootDirError::Slash.into());
        };
        let checked = rootdir::open_above(parent)?;
        let path = checked.path().join(name);
        Ok(Self { parent: checked.into_fd(), name: name.to_owned(), path })
    }

    /// The lock on the tree. Whoever has it is the only one to work on it.
    pub(super) fn lock(&self) -> Result<Lock, KeepError> {
        let above = Meta::of(&self.parent).map_err(self.failed("fstat"))?;
        let mut hasher = DefaultHasher::new();
        (above.dev, above.ino, &self.name).hash(&mut hasher);
        let name = format!("tree-{:016x}", hasher.finish());
        let state = StateDir::open()?;
        for _ in 0..200 {
            if let Some(lock) = state.try_lock(&name)? {
                return Ok(lock);
            }
            sleep(PAUSE);
        }
        Err(KeepError::Busy { path: self.path.clone() })
    }

    /// Opens the tree, which has to be as safe as a root.
    pub(super) fn open(&self) -> Result<Sysroot, KeepError> {
        let root = rootdir::open(&self.path)?;
        let path = root.path().to_owned();
        Ok(Sysroot::from_fd(root.into_fd(), &path)?)
    }

    /// A name beside the tree.
    pub(super) fn beside(&self, before: &str, after: &str) -> PathBuf {
        let mut name = OsString::from(before);
        name.push(&self.name);
        name.push(after);
        PathBuf::from(name)
    }

    /// What a tree is called while it is made.
    pub(super) fn new_name(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.name.hash(&mut hasher);
        format!(".isol-{:016x}.new", hasher.finish())
    }

    pub(super) fn journal_name(&self) -> PathBuf {
        self.beside(".", ".isol-journal.json")
    }

    pub(super) fn manifest_name(&self) -> PathBuf {
        self.beside("", ".isol-manifest.json")
    }

    /// Where something beside the tree is.
    pub(super) fn path_of(&self, name: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("/")).join(name)
    }

    /// The manifest, if there is one.
    pub(super) fn manifest(&self) -> Result<Option<Manifest>, KeepError> {
        let name = self.manifest_name();
        let Some(text) = self.read(&name)? else { return Ok(None) };
        let path = self.path_of(&name);
        Manifest::parse(&text).map(Some).map_err(|why| KeepError::Unreadable { path, why })
    }

    /// The manifest, which has to be there.
    pub(super) fn manifest_needed(&self) -> Result<Manifest, KeepError> {
        self.manifest()?.ok_or_else(|| KeepError::NoManifest {
            root: self.path.clone(),
            manifest: self.path_of(&self.manifest_name()),
        })
    }

    pub(super) fn write_manifest(&self, manifest: &Manifest) -> Result<(), KeepError> {
        let name = self.manifest_name();
        let text = manifest
            .to_text()
            .map_err(|why| KeepError::Unreadable { path: self.path_of(&name), why })?;
        self.write(&name, &text)
    }

    /// A file beside the tree; `None` if it is not there.
    pub(super) fn read(&self, name: &Path) -> Result<Option<Vec<u8>>, KeepError> {
        let file = match openat(&self.parent, name, READ, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::ENOENT) => return Ok(None),
            Err(e) => return Err(KeepError::io("open", &self.path_of(name))(e)),
        };
        let mut bytes = Vec::new();
        (&file).read_to_end(&mut bytes).map_err(KeepError::std("read", &self.path_of(name)))?;
        Ok(Some(bytes))
    }

    /// Puts a file beside the tree, in place of one that may be there: whole, and on the disk, when it has its name.
    pub(super) fn write(&self, name: &Path, text: &[u8]) -> Result<(), KeepError> {
        let new = self.beside(".", ".isol-file.new");
        let path = self.path_of(name);
        let flags = OFlag::O_WRONLY
            | OFlag::O_CREAT
            | OFlag::O_TRUNC
            | OFlag::O_NOFOLLOW
            | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(0o644);
        let fd = openat(&self.parent, &new, flags, mode).map_err(KeepError::io("make", &path))?;
        let mut file = File::from(fd);
        let mut write = || {
            file.write_all(text).map_err(KeepError::std("write", &path))?;
            nix::sys::stat::fchmod(&file, mode).map_err(KeepError::io("chmod", &path))?;
            fsync(&file).map_err(KeepError::io("fsync", &path))?;
            renameat(&self.parent, &new, &self.parent, name).map_err(KeepError::io("rename", &path))
        };
        if let Err(e) = write() {
            // The first error is the one to tell; what is left is removed by the next call.
            let _ = self.unlink(&new);
            return Err(e);
        }
        self.sync()
    }

    /// Removes a file beside the tree, if it is there.
    pub(super) fn unlink(&self, name: &Path) -> Result<(), KeepError> {
        match unlinkat(&self.parent, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            // Asked of a file system that is mounted read-only, whether there is something or not.
            Err(Errno::EROFS) if Meta::at(self, name) == Err(Errno::ENOENT) => Ok(()),
            Err(e) => Err(KeepError::io("unlink", &self.path_of(name))(e)),
        }
    }

    /// Names in the directory that the tree is in are on the disk.
    pub(super) fn sync(&self) -> Result<(), KeepError> {
        fsync(&self.parent).map_err(self.failed("fsync"))
    }

    pub(super) fn failed(&self, call: &'static str) -> impl Fn(Errno) -> KeepError + use<> {
        KeepError::io(call, &self.path)
    }
}

impl AsFd for Place {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.parent.as_fd()
    }
}
