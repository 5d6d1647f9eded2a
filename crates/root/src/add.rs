//! Putting programs, and what they need, into a root that is there.
//!
//! Each file appears whole or not at all, under its own name, by rename(2). What is there already is never overwritten:
//! the same file is left as it is, and another one is an error.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fchownat, geteuid, symlinkat, unlinkat};
use thiserror::Error;

use crate::closure::{Closure, ClosureError, Entry, EntryKind, Resolver};
use crate::throwaway::{ThrowawayError, open_source};
use crate::walk::{Kind, Sysroot, WalkError};

/// Why something could not be put into a root.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddError {
    /// What a program needs can't be found on the host.
    #[error(transparent)]
    Closure(#[from] ClosureError),
    /// A path can't be resolved.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// The host's file can't be read, or has changed meanwhile.
    #[error(transparent)]
    Source(#[from] ThrowawayError),
    /// Something else is there.
    #[error("{} is in the root already, and is another: move it away first", .path.display())]
    Another {
        /// Where.
        path: PathBuf,
    },
    /// A system call failed.
    #[error("can't {call} {}: {source}", .path.display())]
    Io {
        /// Which.
        call: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Puts host paths into the root `root`, each at its own path: programs with all that they load, other files and
/// directories as they are. Returns what was new.
///
/// # Errors
/// [`AddError`] names what stands in the way. What was added before stays: it is whole, and adding again goes on.
///
/// # References
/// rename(2), openat(2)
///
/// ```no_run
/// use isol_root::{Sysroot, add};
/// let root = isol_root::safety::check_parents("/srv/www".as_ref())?;
/// let path = root.path().to_owned();
/// let tree = Sysroot::from_fd(root.into_fd(), &path)?;
/// add::paths(&tree, &["/usr/bin/id".into()])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn paths(root: &Sysroot, paths: &[PathBuf]) -> Result<Vec<PathBuf>, AddError> {
    let host = Sysroot::open(Path::new("/"))?;
    let mut added = Vec::new();
    for path in paths {
        let closure = closure_of(&host, path)?;
        for entry in &closure.entries {
            if put(root, &host, entry)? {
                added.push(entry.path.clone());
            }
        }
    }
    Ok(added)
}

fn closure_of(host: &Sysroot, path: &Path) -> Result<Closure, AddError> {
    let resolver = Resolver::new(host);
    let meta = host.walk(path)?.last().meta;
    // A library has no interpreter and may have x bits; it is no program, and is added as a file.
    if meta.is_file() && meta.mode & 0o111 != 0 {
        match resolver.closure(path, &[]) {
            Ok(closure) => return Ok(closure),
            Err(error) if error.status() == 127 => return Err(error.into()),
            Err(_) => {}
        }
    }
    Ok(resolver.files(&[path.to_owned()])?)
}

/// Whether it was not there before.
fn put(root: &Sysroot, host: &Sysroot, entry: &Entry) -> Result<bool, AddError> {
    let another = || AddError::Another { path: root.path().join(below(&entry.path)) };
    let found = match root.walk(&entry.path) {
        Ok(trail) => Some(trail),
        Err(error) if error.is_missing() => None,
        Err(error) => return Err(error.into()),
    };
    let target = Target::of(root, &entry.path)?;
    match (&entry.kind, found) {
        (EntryKind::Directory { .. }, Some(trail)) if trail.last().kind == Kind::Directory => {
            Ok(false)
        }
        (EntryKind::Directory { .. }, None) => target.directory().map(|()| true),
        // Where the root has a directory in the link's place, what is behind the link comes there.
        (EntryKind::Symlink { .. }, Some(_)) => Ok(false),
        (EntryKind::Symlink { target: to }, None) => target.link(to),
        (EntryKind::File { executable, meta }, found) => {
            let mut from = open_source(host, &entry.path, meta)?;
            match found {
                None => {
                    target.file(&mut from, if *executable { 0o555 } else { 0o444 }).map(|()| true)
                }
                Some(trail)
                    if same(&mut trail.open_file()?, &mut from)
                        .map_err(|e| target.failed("read", e))? =>
                {
                    Ok(false)
                }
                Some(_) => Err(another()),
            }
        }
        (EntryKind::Text { text }, None) => target.file(&mut text.as_slice(), 0o444).map(|()| true),
        (EntryKind::Text { text }, Some(trail)) => {
            let same = same(&mut trail.open_file()?, &mut text.as_slice());
            if same.map_err(|e| target.failed("read", e))? { Ok(false) } else { Err(another()) }
        }
        (EntryKind::Directory { .. }, Some(_)) => Err(another()),
    }
}

fn below(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn same(a: &mut impl Read, b: &mut impl Read) -> io::Result<bool> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    a.read_to_end(&mut left)?;
    b.read_to_end(&mut right)?;
    Ok(left == right)
}

/// A name in an open directory of the root.
struct Target {
    parent: std::os::fd::OwnedFd,
    name: PathBuf,
    shown: PathBuf,
}

impl Target {
    fn of(root: &Sysroot, path: &Path) -> Result<Self, AddError> {
        let shown = root.path().join(below(path));
        let failed =
            |source| AddError::Io { call: "open the directory of", path: shown.clone(), source };
        let trail = root.walk(path.parent().unwrap_or(Path::new("/")))?;
        let dir = trail.dir().ok_or_else(|| failed(Errno::ENOTDIR.into()))?;
        let parent = dir.try_clone_to_owned().map_err(failed)?;
        Ok(Self { parent, name: path.file_name().map_or_else(PathBuf::new, PathBuf::from), shown })
    }

    fn failed(&self, call: &'static str, source: impl Into<io::Error>) -> AddError {
        AddError::Io { call, path: self.shown.clone(), source: source.into() }
    }

    fn directory(&self) -> Result<(), AddError> {
        mkdirat(&self.parent, &self.name, Mode::S_IRWXU).map_err(|e| self.failed("make", e))?;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let made = openat(&self.parent, &self.name, flags, Mode::empty())
            .map_err(|e| self.failed("open", e))?;
        self.finish(made.as_fd(), 0o755)
    }

    fn link(&self, to: &Path) -> Result<bool, AddError> {
        match symlinkat(to, &self.parent, &self.name) {
            Ok(()) => {}
            // There, and leading nowhere yet.
            Err(Errno::EEXIST) => return Ok(false),
            Err(e) => return Err(self.failed("link", e)),
        }
        let (uid, gid) = owner();
        fchownat(&self.parent, &self.name, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW)
            .map_err(|e| self.failed("chown", e))?;
        Ok(true)
    }

    fn file(&self, from: &mut impl Read, mode: u32) -> Result<(), AddError> {
        let temporary = PathBuf::from(format!(".isol-add-{}", std::process::id()));
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let made = openat(&self.parent, &temporary, flags, Mode::S_IWUSR)
            .map_err(|e| self.failed("make", e))?;
        let done = self.fill(File::from(made), from, mode).and_then(|()| {
            renameat(&self.parent, &temporary, &self.parent, &self.name)
                .map_err(|e| self.failed("rename", e))
        });
        if done.is_err() {
            let _ = unlinkat(&self.parent, &temporary, UnlinkatFlags::NoRemoveDir);
        }
        done
    }

    fn fill(&self, mut to: File, from: &mut impl Read, mode: u32) -> Result<(), AddError> {
        io::copy(from, &mut to).and_then(|_| to.flush()).map_err(|e| self.failed("write", e))?;
        self.finish(to.as_fd(), mode)
    }

    fn finish(&self, made: BorrowedFd<'_>, mode: u32) -> Result<(), AddError> {
        let (uid, gid) = owner();
        fchown(made, uid, gid).map_err(|e| self.failed("chown", e))?;
        let mode = Mode::from_bits_truncate(mode as nix::libc::mode_t);
        fchmod(made, mode).map_err(|e| self.failed("chmod", e))
    }
}

/// Root's; what an ordinary user makes in a tree of his own is his.
fn owner() -> (Option<Uid>, Option<Gid>) {
    let root = geteuid().is_root();
    (root.then_some(Uid::from_raw(0)), root.then_some(Gid::from_raw(0)))
}
