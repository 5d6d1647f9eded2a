//! Paths as they will be resolved inside a root, resolved from outside.
//!
//! The kernel would follow an absolute symbolic link out of the tree, and `..` above it. Here a path is taken
//! component by component, each one relative to an open directory and never following a link on its own: links
//! restart at the tree's own root, and `..` stops there, as after chroot(2).

mod error;
mod mounted;
mod trail;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use isol_sys::source::prepend;
use isol_sys::{acl, below, mount};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;

pub use error::WalkError;
use mounted::Over;
pub use mounted::{Content, Mounted};
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
    mounts: Vec<Mounted>,
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
        Ok(Self { fd, path: path.to_owned(), meta, mounts: Vec::new() })
    }

    /// The same tree with what will be mounted in it: each path is resolved as it will be then.
    #[must_use]
    pub fn with_mounts(mut self, mounts: Vec<Mounted>) -> Self {
        self.mounts = mounts;
        self
    }

    /// What will be mounted in it.
    #[must_use]
    pub fn mounts(&self) -> &[Mounted] {
        &self.mounts
    }

    /// What `place`, a path in the tree that has no link in it, is reached by from outside: for messages and commands.
    #[must_use]
    pub fn outside(&self, place: &Path) -> PathBuf {
        let join = |base: &Path, below: &Path| match below.as_os_str().is_empty() {
            true => base.to_owned(),
            false => base.join(below),
        };
        if let Some(around) = mounted::around(&self.mounts, place)
            && let Content::Directory { path, .. } | Content::File { path, .. } = &around.what
        {
            return join(path, place.strip_prefix(&around.target).unwrap_or(place));
        }
        join(&self.path, place.strip_prefix("/").unwrap_or(place))
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
    /// The directories from below the root to where we are; empty at the root. One that is yet to be made, and empty, is
    /// `None`.
    open: Vec<Option<OwnedFd>>,
    /// Where we are, without links.
    here: PathBuf,
    met: Vec<Met>,
    links: usize,
}

impl<'a> Walk<'a> {
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
            if let Some(over) = self.over(&name) {
                match self.mounted(&name, over, todo.is_empty())? {
                    Some(trail) => return Ok(trail),
                    None => continue,
                }
            }
            let Some(dir) = self.dir() else { return Err(self.failed(&name, Errno::ENOENT)) };
            let meta = Meta::at(dir, name.as_os_str()).map_err(|e| self.failed(&name, e))?;
            if meta.is_symlink() {
                self.link(&name, meta, &mut todo)?;
            } else if meta.is_dir() {
                self.enter(&name)?;
            } else if todo.is_empty() {
                let parent = dir.try_clone_to_owned().map_err(|e| self.failed(&name, errno(&e)))?;
                let place = self.here.join(&name);
                return self.finish(place, parent, name, meta);
            } else {
                return Err(self.failed(&name, Errno::ENOTDIR));
            }
        }
        let Some(dir) = self.dir() else { return Ok(Trail { met: self.met, end: End::Made }) };
        let dir = dir.try_clone_to_owned().map_err(|e| self.failed("".as_ref(), errno(&e)))?;
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
        let dir = self.dir().ok_or_else(|| self.failed(name, Errno::ENOENT))?;
        let target = PathBuf::from(readlinkat(dir, name).map_err(|e| self.failed(name, e))?);
        self.met.push(Met {
            path: self.here.join(name),
            kind: Kind::Symlink { target: target.clone() },
            meta,
            listed: false,
            mounted_by: None,
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
        let dir = self.dir().ok_or_else(|| self.failed(name, Errno::ENOENT))?;
        let fd = openat(dir, name, flags, Mode::empty()).map_err(|e| self.failed(name, e))?;
        // Of what was opened, not of what the name meant a moment ago.
        let meta = Meta::of(&fd).map_err(|e| self.failed(name, e))?;
        self.here.push(name);
        self.directory(meta, fd.as_fd())?;
        self.open.push(Some(fd));
        Ok(())
    }

    fn over(&self, name: &OsStr) -> Option<Over<'a>> {
        let root: &'a Sysroot = self.root;
        // Nothing is in most of them, and each path comes here.
        if root.mounts.is_empty() {
            None
        } else {
            mounted::over(&root.mounts, &self.here.join(name))
        }
    }

    /// Into what will be mounted there; the whole trail if that is its end.
    fn mounted(
        &mut self,
        name: &OsStr,
        over: Over<'_>,
        last: bool,
    ) -> Result<Option<Trail>, WalkError> {
        let place = self.here.join(name);
        let (fd, meta) = match over {
            Over::Content(Content::Directory { fd, .. }) => {
                let fd = fd.try_clone().map_err(|e| self.failed(name, errno(&e)))?;
                let meta = Meta::of(&fd).map_err(|e| self.failed(name, e))?;
                (Some(fd), meta)
            }
            Over::Content(Content::File { parent, name: at, .. }) if last => {
                let parent = parent.try_clone().map_err(|e| self.failed(name, errno(&e)))?;
                let meta = Meta::at(&parent, at.as_os_str()).map_err(|e| self.failed(name, e))?;
                return self.finish(place, parent, at.clone(), meta).map(Some);
            }
            Over::Content(Content::File { .. }) => return Err(self.failed(name, Errno::ENOTDIR)),
            Over::Content(Content::Empty) => (None, Meta::of_new_directory(0o1777)),
            Over::Place => (None, Meta::of_new_directory(0o755)),
        };
        self.here = place;
        match &fd {
            Some(fd) => self.directory(meta, fd.as_fd())?,
            None => self.met.push(Met {
                path: self.here.clone(),
                kind: Kind::Directory,
                meta,
                listed: false,
                mounted_by: None,
            }),
        }
        self.open.push(fd);
        Ok(None)
    }

    /// `here` has been met.
    fn directory(&mut self, meta: Meta, fd: BorrowedFd<'_>) -> Result<(), WalkError> {
        let listed = acl::allows_beside_the_mode(fd).map_err(|e| self.failed("".as_ref(), e))?;
        let mounted_by = self.mounted_by(fd).map_err(|e| self.failed("".as_ref(), e))?;
        let path = self.here.clone();
        self.met.push(Met { path, kind: Kind::Directory, meta, listed, mounted_by });
        Ok(())
    }

    /// Of what is mounted: the rest of a root stands where nobody else can mount anything.
    fn mounted_by(&self, fd: BorrowedFd<'_>) -> nix::Result<Option<u32>> {
        if mounted::around(&self.root.mounts, &self.here).is_some() {
            mount::mounted_by(fd)
        } else {
            Ok(None)
        }
    }

    /// `name` in `parent`, which is or will be at `place`, is the end.
    fn finish(
        &mut self,
        place: PathBuf,
        parent: OwnedFd,
        name: OsString,
        meta: Meta,
    ) -> Result<Trail, WalkError> {
        let kind = if meta.is_file() { Kind::File } else { Kind::Other };
        // What can't be opened by just looking is not asked: nothing of the kind is executed or loaded.
        let listed = meta.is_file()
            && acl::allows_beside_the_mode_at(&parent, name.as_os_str())
                .map_err(|e| self.failed(&name, e))?;
        let mounted_by = if mounted::around(&self.root.mounts, &place).is_some() {
            below::handle_by_name(&parent, &name)
                .and_then(mount::mounted_by)
                .map_err(|e| self.failed(&name, e))?
        } else {
            None
        };
        self.met.push(Met { path: place, kind, meta, listed, mounted_by });
        Ok(Trail { met: std::mem::take(&mut self.met), end: End::Below { parent, name } })
    }

    /// The directory that we are in; `None` for one that is yet to be made, in which there is nothing.
    fn dir(&self) -> Option<BorrowedFd<'_>> {
        match self.open.last() {
            None => Some(self.root.as_fd()),
            Some(open) => open.as_ref().map(AsFd::as_fd),
        }
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

pub(crate) fn errno(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO))
}

#[cfg(test)]
mod tests;
