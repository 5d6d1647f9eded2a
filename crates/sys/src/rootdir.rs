//! A directory that is to become somebody's `/`: opened once, each component checked on its own descriptor.
//!
//! Whoever can write to a directory above a root can put another one in its place, so every component
//! counts, the sticky bit notwithstanding. No component is looked at twice: the check and the later
//! `fchdir(2)` + `chroot(".")` are of the same open directory.

mod descend;
mod error;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fchmod, mkdirat};

use descend::descend_past;
pub(crate) use descend::{Rule, descend, go_down};
pub use error::{Flaw, RootDirError};

use isol_core::Uid;

use crate::meta::Meta;

/// An open, checked root directory.
#[derive(Debug)]
pub struct RootDir {
    fd: OwnedFd,
    path: PathBuf,
    meta: Meta,
}

impl RootDir {
    /// The path it was opened by: absolute, without `.`, `..` or symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Device and inode number, to compare with `stat(".")` after entering.
    #[must_use]
    pub fn id(&self) -> (u64, u64) {
        (self.meta.dev, self.meta.ino)
    }

    /// What fstat(2) said of it when it was checked.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Another descriptor of the same directory, close-on-exec too.
    ///
    /// # Errors
    /// What fcntl(2) gives.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self { fd: self.fd.try_clone()?, path: self.path.clone(), meta: self.meta })
    }

    /// The descriptor.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

impl AsFd for RootDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Opens `path`, component by component from `/`.
///
/// Each component, the last one too, has to be a directory, not a symbolic link, owned by root, and
/// writable neither by its group nor by others.
///
/// # Errors
/// - [`RootDirError::Relative`], [`RootDirError::DotDot`], [`RootDirError::Slash`] for paths that can't
///   name a root;
/// - [`RootDirError::Unsafe`] for the first component that somebody else could exchange, with the command
///   that mends it;
/// - [`RootDirError::Open`] for one that can't be opened.
///
/// # References
/// open(2), fstat(2), chroot(2)
///
/// ```
/// use isol_sys::rootdir::{RootDirError, open};
/// assert!(matches!(open("/".as_ref()), Err(RootDirError::Slash)));
/// assert!(matches!(open("srv/www".as_ref()), Err(RootDirError::Relative { .. })));
/// ```
pub fn open(path: &Path) -> Result<RootDir, RootDirError> {
    open_by(path, Rule::RootOnly)
}

/// As [`open`], for an ordinary user: the directory has to be his own, and those above it his or root's; a sticky one
/// will do where what comes next belongs to one of both.
///
/// # Errors
/// As [`open`].
pub fn open_own(path: &Path, user: Uid) -> Result<RootDir, RootDirError> {
    open_by(path, Rule::OrUser(user.get())).or_else(|error| match open_by(path, Rule::RootOnly) {
        Ok(root) => Ok(root),
        Err(_) => Err(error),
    })
}

fn open_by(path: &Path, rule: Rule) -> Result<RootDir, RootDirError> {
    let (fd, meta, path) = descend(path, rule).map_err(RootDirError::from)?;
    match path.parent() {
        Some(_) => Ok(RootDir { fd, path, meta }),
        None => Err(RootDirError::Slash),
    }
}

/// As [`open`], for the directory in which a root is, or is to be made: `/` will do.
///
/// # Errors
/// As [`open`], but for [`RootDirError::Slash`].
///
/// # References
/// open(2), fstat(2)
///
/// ```
/// assert!(isol_sys::rootdir::open_above("/".as_ref()).is_ok());
/// ```
pub fn open_above(path: &Path) -> Result<RootDir, RootDirError> {
    let (fd, meta, path) = descend(path, Rule::RootOnly).map_err(RootDirError::from)?;
    Ok(RootDir { fd, path, meta })
}

/// Opens `path` as [`open`] does, but goes on where a component can't be trusted: `passed` is told of each one, from `/`
/// on, and of what [`open`] would say of it. What comes back is for looking at, not for entering.
///
/// # Errors
/// As [`open`], but for what `passed` has been told.
///
/// # References
/// open(2), fstat(2)
///
/// ```
/// let mut seen = Vec::new();
/// isol_sys::rootdir::survey("/usr/lib".as_ref(), &mut |component| {
///     seen.push(component.path.to_owned());
/// })?;
/// assert_eq!(seen, ["/", "/usr", "/usr/lib"].map(std::path::PathBuf::from));
/// # Ok::<(), isol_sys::rootdir::RootDirError>(())
/// ```
pub fn survey(path: &Path, passed: &mut dyn FnMut(Component<'_>)) -> Result<RootDir, RootDirError> {
    let mut tell = |at: descend::Passed<'_>| {
        let problem = at.flaw.map(RootDirError::from);
        passed(Component { dir: at.fd.as_fd(), path: at.path, last: at.last, problem });
        Ok(())
    };
    let (fd, meta, path) =
        descend_past(path, Rule::RootOnly, &mut tell).map_err(RootDirError::from)?;
    match path.parent() {
        Some(_) => Ok(RootDir { fd, path, meta }),
        None => Err(RootDirError::Slash),
    }
}

/// A directory on the way of [`survey`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Component<'a> {
    /// It, open.
    pub dir: BorrowedFd<'a>,
    /// The path up to it.
    pub path: &'a Path,
    /// It is the end of the path.
    pub last: bool,
    /// Why it can't be trusted, if it can't.
    pub problem: Option<RootDirError>,
}

/// Opens a directory below an open root, component by component, each one as safe as the root has to be. `at` is where
/// the root is, for errors; `make` has what is missing made; `user` is an ordinary user whose the directories have to be,
/// where it is one.
///
/// # Errors
/// As [`open`].
///
/// # References
/// openat(2), mkdirat(2)
pub fn below(
    root: BorrowedFd<'_>,
    at: &Path,
    inside: &Path,
    make: bool,
    user: Option<Uid>,
) -> Result<RootDir, RootDirError> {
    let rule = user.map_or(Rule::RootOnly, |user| Rule::OrUser(user.get()));
    let mode = Mode::from_bits_truncate(0o755);
    let fd = openat(root, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, mode)
        .map_err(|source| RootDirError::Open { component: at.to_owned(), source })?;
    let (mut fd, mut meta, mut path) = go_down(fd, at.to_owned(), &[], rule)?;
    for name in inside.iter().filter(|name| *name != "/") {
        let component = path.join(name);
        let cant = |source| RootDirError::Open { component: component.clone(), source };
        let made = match make.then(|| mkdirat(&fd, name, mode)) {
            None | Some(Err(Errno::EEXIST)) => false,
            Some(made) => made.map(|()| true).map_err(cant)?,
        };
        (fd, meta, path) = go_down(fd, path, &[name], rule)?;
        if made {
            // The umask may have taken something away.
            fchmod(&fd, mode).map_err(cant)?;
        }
    }
    Ok(RootDir { fd, path, meta })
}

#[cfg(test)]
mod tests;
