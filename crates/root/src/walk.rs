//! Paths as they will be resolved inside a root, resolved from outside.
//!
//! The kernel would follow an absolute symbolic link out of the tree, and `..` above it. Here a path is taken
//! component by component, each one relative to an open directory and never following a link on its own: links
//! restart at the tree's own root, and `..` stops there, as after chroot(2).

mod error;
mod trail;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use isol_sys::acl;
use isol_sys::meta::Meta;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;

pub use error::WalkError;
use trail::End;
pub(crate) use trail::READ;
pub use trail::{Kind, Met, Trail};

/// How many symbolic links one path may have, as in the kernels.
pub const MAX_LINKS: usize = 40;

/// The directory that paths are resolved in: an open descriptor, so that it stays the same one.
#[derive(Debug)]
pub struct Sysroot {
    fd: OwnedFd,
    path: PathBuf,
    meta: Meta,
}

impl Sysroot {
    /// Opens `path` as the kernel resolves it, links followed. For a root that is to be entered, check it with
    /// [`isol_sys::rootdir::open`] and use [`from_fd`](Self::from_fd).
    ///
    /// # Errors
    /// [`WalkError::Io`] if it can't be opened or is no directory.
    ///
    /// # References
    /// open(2)
    ///
    /// ```
    /// let host = isol_root::Sysroot::open("/".as_ref())?;
    /// let trail = host.walk("/usr/../../usr/bin/env".as_ref())?;
    /// assert_eq!(trail.path(), std::path::Path::new("/usr/bin/env"));
    /// # Ok::<(), isol_root::walk::WalkError>(())
    /// ```
    pub fn open(path: &Path) -> Result<Self, WalkError> {
        let failed = |source| WalkError::Io { path: path.to_owned(), source };
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let fd = nix::fcntl::open(path, flags, Mode::empty()).map_err(failed)?;
        Self::from_fd(fd, path)
    }

    /// Of a directory that is open already; `path` is for messages only.
    ///
    /// # Errors
    /// [`WalkError::Io`] if it can't be looked at, or is no directory.
    pub fn from_fd(fd: OwnedFd, path: &Path) -> Result<Self, WalkError> {
        let failed = |source| WalkError::Io { path: path.to_owned(), source };
        let meta = Meta::of(&fd).map_err(failed)?;
        if !meta.is_dir() {
            return Err(failed(Errno::ENOTDIR));
        }
        Ok(Self { fd, path: path.to_owned(), meta })
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What fstat(2) said of it when it was opened.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Whether it is the whole host, not a tree below.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.path == Path::new("/")
    }

    /// Resolves `path`, from the tree's root even if it is relative, and tells what was met on the way.
    ///
    /// # Errors
    /// - [`WalkError::Missing`] and [`WalkError::NotDirectory`] name the component;
    /// - [`WalkError::Loop`] after [`MAX_LINKS`] symbolic links;
    /// - [`WalkError::Io`] for anything else.
    ///
    /// # References
    /// path_resolution(7), openat(2)
    pub fn walk(&self, path: &Path) -> Result<Trail, WalkError> {
        Walk {
            root: self,
            wanted: path,
            open: Vec::new(),
            here: PathBuf::from("/"),
            met: Vec::new(),
            links: 0,
        }
        .run()
    }

    /// What is in a regular file, as far as the first `max` bytes; `None` if there is none at the path.
    ///
    /// # Errors
    /// As [`walk`](Self::walk), but for what is missing, and [`WalkError::Io`] if it can't be read.
    pub(crate) fn read_file(&self, path: &Path, max: u64) -> Result<Option<Vec<u8>>, WalkError> {
        let trail = match self.walk(path) {
            Ok(trail) if trail.last().kind == Kind::File => trail,
            Ok(_) => return Ok(None),
            Err(e) if e.is_missing() => return Ok(None),
            Err(e) => return Err(e),
        };
        let mut bytes = Vec::new();
        let failed = |e: std::io::Error| WalkError::Io {
            path: path.to_owned(),
            source: Errno::from_raw(e.raw_os_error().unwrap_or(nix::libc::EIO)),
        };
        trail.open_file()?.take(max).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Some(bytes))
    }
}

impl AsFd for Sysroot {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

struct Walk<'a> {
    root: &'a Sysroot,
    wanted: &'a Path,
    /// The directories from below the root to where we are; empty at the root.
    open: Vec<OwnedFd>,
    /// Where we are, without links.
    here: PathBuf,
    met: Vec<Met>,
    links: usize,
}

impl Walk<'_> {
    fn run(mut self) -> Result<Trail, WalkError> {
        // Anew each time: its mode may have changed since it was opened.
        let meta = Meta::of(self.root).map_err(|e| self.failed("".as_ref(), e))?;
        let root = self.root;
        self.directory(meta, root.as_fd())?;
        let mut todo = VecDeque::new();
        prepend(&mut todo, self.wanted);
        while let Some(name) = todo.pop_front() {
            if name == ".." {
                self.open.pop();
                self.here.pop();
                continue;
            }
            let meta = Meta::at(self.dir(), name.as_os_str()).map_err(|e| self.failed(&name, e))?;
            if meta.is_symlink() {
                self.link(&name, meta, &mut todo)?;
            } else if meta.is_dir() {
                self.enter(&name)?;
            } else if todo.is_empty() {
                return self.end(name, meta);
            } else {
                return Err(self.failed(&name, Errno::ENOTDIR));
            }
        }
        let dir =
            self.dir().try_clone_to_owned().map_err(|e| self.failed("".as_ref(), errno(&e)))?;
        // The last thing met may have been a link to `..`: the end is where we are now.
        if self.met.last().is_none_or(|last| last.path != self.here) {
            let meta = Meta::of(&dir).map_err(|e| self.failed("".as_ref(), e))?;
            self.directory(meta, dir.as_fd())?;
        }
        Ok(Trail { met: self.met, end: End::Directory(dir) })
    }

    fn link(
        &mut self,
        name: &OsStr,
        meta: Meta,
        todo: &mut VecDeque<OsString>,
    ) -> Result<(), WalkError> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(WalkError::Loop { path: self.wanted.to_owned() });
        }
        let target = PathBuf::from(readlinkat(self.dir(), name).map_err(|e| self.failed(name, e))?);
        self.met.push(Met {
            path: self.here.join(name),
            kind: Kind::Symlink { target: target.clone() },
            meta,
            listed: false,
        });
        if target.is_absolute() {
            self.open.clear();
            self.here = PathBuf::from("/");
        }
        prepend(todo, &target);
        Ok(())
    }

    fn enter(&mut self, name: &OsStr) -> Result<(), WalkError> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd =
            openat(self.dir(), name, flags, Mode::empty()).map_err(|e| self.failed(name, e))?;
        // Of what was opened, not of what the name meant a moment ago.
        let meta = Meta::of(&fd).map_err(|e| self.failed(name, e))?;
        self.here.push(name);
        self.directory(meta, fd.as_fd())?;
        self.open.push(fd);
        Ok(())
    }

    /// `here` has been met.
    fn directory(&mut self, meta: Meta, fd: BorrowedFd<'_>) -> Result<(), WalkError> {
        let listed = acl::allows_beside_the_mode(fd).map_err(|e| self.failed("".as_ref(), e))?;
        self.met.push(Met { path: self.here.clone(), kind: Kind::Directory, meta, listed });
        Ok(())
    }

    fn end(mut self, name: OsString, meta: Meta) -> Result<Trail, WalkError> {
        let kind = if meta.is_file() { Kind::File } else { Kind::Other };
        let parent = self.dir().try_clone_to_owned().map_err(|e| self.failed(&name, errno(&e)))?;
        // What can't be opened by just looking is not asked: nothing of the kind is executed or loaded.
        let listed = meta.is_file()
            && acl::allows_beside_the_mode_at(self.dir(), name.as_os_str())
                .map_err(|e| self.failed(&name, e))?;
        self.met.push(Met { path: self.here.join(&name), kind, meta, listed });
        Ok(Trail { met: self.met, end: End::Below { parent, name } })
    }

    fn dir(&self) -> BorrowedFd<'_> {
        self.open.last().map_or(self.root.as_fd(), AsFd::as_fd)
    }

    fn failed(&self, name: &OsStr, source: Errno) -> WalkError {
        let (path, component) = (self.wanted.to_owned(), self.here.join(name));
        match source {
            Errno::ENOENT => WalkError::Missing { path, component },
            Errno::ENOTDIR => WalkError::NotDirectory { path, component },
            source => WalkError::Io { path: component, source },
        }
    }
}

fn prepend(todo: &mut VecDeque<OsString>, path: &Path) {
    for part in path.components().rev() {
        match part {
            Component::Normal(name) => todo.push_front(name.to_owned()),
            Component::ParentDir => todo.push_front(OsString::from("..")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

pub(crate) fn errno(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO))
}

#[cfg(test)]
mod tests;
