//! A walk over all of a tree with two descriptors and no recursion, however deep the tree is.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::outside;
use crate::walk::{Sysroot, WalkError};

/// One thing in the tree.
pub(super) struct Seen<'a> {
    pub(super) dir: BorrowedFd<'a>,
    pub(super) name: &'a CStr,
    pub(super) meta: Meta,
    /// A directory of another file system.
    pub(super) is_mount: bool,
    root: &'a Path,
    above: &'a [Level],
}

impl Seen<'_> {
    pub(super) fn path(&self) -> PathBuf {
        path(self.root, self.above, self.name)
    }
}

/// A directory on the way to where we are.
struct Level {
    /// Its name in the one above; of the tree's root: none.
    name: CString,
    meta: Meta,
    /// What is left to look at in it.
    names: std::vec::IntoIter<CString>,
}

pub(super) struct Descent<'a> {
    root: &'a Sysroot,
    /// The directory of the last level.
    here: OwnedFd,
    levels: Vec<Level>,
    /// The directory seen last, into which to go next.
    below: Option<(CString, Meta)>,
    current: CString,
}

impl<'a> Descent<'a> {
    pub(super) fn new(root: &'a Sysroot) -> Result<Self, WalkError> {
        let io = |source| WalkError::Io { path: root.path().to_owned(), source };
        let here = open_dir(root.as_fd(), c".").map_err(io)?;
        let names = entries(&here).map_err(io)?;
        let top = Level { name: CString::default(), meta: *root.meta(), names };
        Ok(Self { root, here, levels: vec![top], below: None, current: CString::default() })
    }

    /// The next thing in the tree, every directory before what is in it; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Seen<'_>>, WalkError> {
        if let Some((name, meta)) = self.below.take() {
            self.enter(name, meta)?;
        }
        let meta = loop {
            let Some(level) = self.levels.last_mut() else { return Ok(None) };
            let Some(name) = level.names.next() else {
                self.leave()?;
                continue;
            };
            self.current = name;
            match Meta::at(&self.here, self.current.as_c_str()) {
                Ok(meta) => break meta,
                // Removed since the directory was read.
                Err(Errno::ENOENT) => {}
                Err(source) => {
                    return Err(WalkError::Io { path: self.path(&self.current), source });
                }
            }
        };
        // Of directories only: some stacked file systems give files another number than their directory's.
        let is_mount = meta.is_dir() && meta.dev != self.root.meta().dev;
        if meta.is_dir() && !is_mount {
            self.below = Some((self.current.clone(), meta));
        }
        let root = self.root.path();
        let (dir, name, above) =
            (self.here.as_fd(), self.current.as_c_str(), self.levels.as_slice());
        Ok(Some(Seen { dir, name, meta, is_mount, root, above }))
    }

    fn enter(&mut self, name: CString, meta: Meta) -> Result<(), WalkError> {
        let io = |source| WalkError::Io { path: self.path(&name), source };
        let dir = match open_dir(self.here.as_fd(), &name) {
            Ok(dir) => dir,
            Err(Errno::ENOENT) => return Ok(()),
            Err(e) => return Err(io(e)),
        };
        if !Meta::of(&dir).map_err(io)?.same_file(&meta) {
            return Err(WalkError::Changed { path: self.path(&name) });
        }
        let names = entries(&dir).map_err(io)?;
        self.here = dir;
        self.levels.push(Level { name, meta, names });
        Ok(())
    }

    /// Back to the directory above: to the same one that we came from, or not at all.
    fn leave(&mut self) -> Result<(), WalkError> {
        let done = self.levels.pop();
        let (Some(_), Some(above)) = (done, self.levels.last()) else { return Ok(()) };
        let io = |source| WalkError::Io { path: self.path(c""), source };
        let dir = open_dir(self.here.as_fd(), c"..").map_err(io)?;
        if !Meta::of(&dir).map_err(io)?.same_file(&above.meta) {
            return Err(WalkError::Changed { path: self.path(c"") });
        }
        self.here = dir;
        Ok(())
    }

    fn path(&self, name: &CStr) -> PathBuf {
        path(self.root.path(), &self.levels, name)
    }
}

fn path(root: &Path, above: &[Level], name: &CStr) -> PathBuf {
    let names = above.iter().map(|level| level.name.as_bytes()).chain([name.to_bytes()]);
    let below: PathBuf = names.filter(|name| !name.is_empty()).map(OsStr::from_bytes).collect();
    outside(root, &below)
}

fn open_dir(dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(dir, name, flags, Mode::empty())
}

fn entries(dir: &OwnedFd) -> nix::Result<std::vec::IntoIter<CString>> {
    let mut open = Dir::from_fd(open_dir(dir.as_fd(), c".")?)?;
    let mut names = Vec::new();
    for entry in open.iter() {
        let name = entry?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names.into_iter())
}
