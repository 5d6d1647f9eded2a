//! Something of the host's that is to be seen elsewhere too: opened from `/` down, one component at a time.
//!
//! Any file will do, whoever it belongs to: that is for whoever names it to say. What must not happen is that somebody
//! else says it, by a symbolic link. So a link is followed only where nobody but root, and the ordinary user who calls, can
//! have laid it: it and each directory on the way to it are theirs, and only theirs to write.

mod error;

use std::collections::VecDeque;
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use isol_core::Uid;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open as open_path, openat, readlinkat};
use nix::sys::stat::Mode;

pub use error::SourceError;

use crate::acl;
use crate::below::handle;
use crate::meta::Meta;
use crate::mount;
use crate::rootdir::Flaw;

/// How many symbolic links one path may have, as in the kernels.
const MAX_LINKS: usize = 40;

/// Something that was opened.
#[derive(Debug)]
#[non_exhaustive]
pub struct Source {
    /// Where it is: absolute, without `.`, `..` or symbolic links.
    pub path: PathBuf,
    /// What fstat(2) said of it.
    pub meta: Meta,
    /// The directory itself, or the one that the file is in.
    pub directory: OwnedFd,
    /// The file's name there; `None` for a directory.
    pub name: Option<OsString>,
}

/// Opens `path`. A directory is open for reading where that is permitted.
///
/// # Errors
/// - [`SourceError::Relative`] for a path that does not begin with `/`;
/// - [`SourceError::Link`] for a symbolic link that somebody else than root and `caller` could have laid;
/// - [`SourceError::Loop`] after 40 symbolic links;
/// - [`SourceError::Open`] for a component that can't be opened.
///
/// # References
/// openat(2), fstat(2), readlinkat(2), path_resolution(7)
///
/// ```
/// let found = isol_sys::source::open("/usr/../usr/bin".as_ref(), None)?;
/// assert_eq!(found.path, std::path::Path::new("/usr/bin"));
/// assert!(found.meta.is_dir() && found.name.is_none());
/// # Ok::<(), isol_sys::source::SourceError>(())
/// ```
pub fn open(path: &Path, caller: Option<Uid>) -> Result<Source, SourceError> {
    if !path.is_absolute() {
        return Err(SourceError::Relative { path: path.to_owned() });
    }
    let mut walk = Walk { wanted: path, caller, here: vec![root()?], links: 0 };
    let mut todo = VecDeque::new();
    prepend(&mut todo, path);
    while let Some(name) = todo.pop_front() {
        if name == ".." {
            if walk.here.len() > 1 {
                walk.here.pop();
            }
            continue;
        }
        let at = walk.path().join(&name);
        let failed = |source| SourceError::Open { component: at.clone(), source };
        let raw = CString::new(name.as_bytes()).map_err(|_| failed(Errno::EINVAL))?;
        // What was opened is looked at, and not what the name meant a moment ago.
        let meta = Meta::at(&walk.last().fd, raw.as_c_str()).map_err(failed)?;
        if meta.is_symlink() {
            walk.link(&name, &meta, &mut todo)?;
            continue;
        }
        let fd = handle(&walk.last().fd, &raw).map_err(failed)?;
        let meta = Meta::of(&fd).map_err(failed)?;
        if meta.is_dir() {
            walk.here.push(Step { fd, meta, name });
        } else if !todo.is_empty() {
            return Err(failed(Errno::ENOTDIR));
        } else if meta.is_symlink() {
            // It was exchanged for one.
            return Err(failed(Errno::ELOOP));
        } else {
            let directory = walk.into_last(&at)?;
            return Ok(Source { path: at, meta, directory, name: Some(name) });
        }
    }
    let (path, meta) = (walk.path(), walk.last().meta);
    let directory = walk.into_last(&path)?;
    Ok(Source { path, meta, directory, name: None })
}

/// A directory that we are in.
struct Step {
    fd: OwnedFd,
    meta: Meta,
    name: OsString,
}

struct Walk<'a> {
    wanted: &'a Path,
    caller: Option<Uid>,
    /// From `/` down to where we are; never empty.
    here: Vec<Step>,
    links: usize,
}

fn root() -> Result<Step, SourceError> {
    let failed = |source| SourceError::Open { component: "/".into(), source };
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let fd = open_path("/", flags, Mode::empty()).map_err(failed)?;
    let meta = Meta::of(&fd).map_err(failed)?;
    Ok(Step { fd, meta, name: "/".into() })
}

impl Walk<'_> {
    fn last(&self) -> &Step {
        &self.here[self.here.len() - 1]
    }

    fn path(&self) -> PathBuf {
        self.here.iter().map(|step| &step.name).collect()
    }

    /// The directory that we are in, for reading if that is permitted.
    fn into_last(mut self, at: &Path) -> Result<OwnedFd, SourceError> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        match openat(&self.last().fd, ".", flags, Mode::empty()) {
            Err(Errno::EACCES) => {}
            opened => {
                return opened
                    .map_err(|source| SourceError::Open { component: at.to_owned(), source });
            }
        }
        Ok(self.here.swap_remove(self.here.len() - 1).fd)
    }

    fn link(
        &mut self,
        name: &OsStr,
        meta: &Meta,
        todo: &mut VecDeque<OsString>,
    ) -> Result<(), SourceError> {
        let link = self.path().join(name);
        let failed = |source| SourceError::Open { component: link.clone(), source };
        self.check_laid(&link, meta).map_err(|refused| refused.unwrap_or_else(failed))?;
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(SourceError::Loop { path: self.wanted.to_owned() });
        }
        let target = PathBuf::from(readlinkat(&self.last().fd, name).map_err(failed)?);
        // Nobody who could exchange it could get here.
        if target.is_absolute() {
            self.here.truncate(1);
        }
        prepend(todo, &target);
        Ok(())
    }

    /// Whether nobody but root and the caller can have laid a link where we are.
    fn check_laid(&self, link: &Path, meta: &Meta) -> Result<(), Refused> {
        let refuse = |component: &Path, what, meta: &Meta| {
            Err(Refused::Link(SourceError::Link {
                link: link.to_owned(),
                component: component.to_owned(),
                what,
                uid: meta.uid,
                mode: meta.permissions(),
            }))
        };
        if !self.is_trusted(meta.uid) {
            return refuse(link, Flaw::ForeignOwner, meta);
        }
        let mut path = PathBuf::new();
        for (n, step) in self.here.iter().enumerate() {
            path.push(&step.name);
            let below = self.here.get(n + 1);
            if let Some(what) = self.flaw(step, below)? {
                return refuse(&path, what, &step.meta);
            }
        }
        Ok(())
    }

    fn is_trusted(&self, uid: u32) -> bool {
        uid == 0 || self.caller.is_some_and(|caller| caller.get() == uid)
    }

    fn flaw(&self, step: &Step, below: Option<&Step>) -> Result<Option<Flaw>, Errno> {
        let owner = if self.is_trusted(step.meta.uid) { step.meta.uid } else { 0 };
        // Nobody else can move a directory out of a sticky one, or into it.
        let stays = below.is_some_and(|below| self.is_trusted(below.meta.uid));
        let sticky = step.meta.mode & 0o1000 != 0 && stays;
        let by_mode =
            Flaw::find(&step.meta, owner).filter(|&flaw| flaw != Flaw::WritableByOthers || !sticky);
        if by_mode.is_some() {
            return Ok(by_mode);
        }
        if acl::allows_beside_the_mode(&step.fd)? {
            return Ok(Some(Flaw::AccessList));
        }
        let by = mount::mounted_by(step.fd.as_fd())?;
        Ok(by.filter(|&uid| !self.is_trusted(uid)).map(|_| Flaw::UserMount))
    }
}

/// Why a link is not followed.
enum Refused {
    Link(SourceError),
    Call(Errno),
}

impl Refused {
    fn unwrap_or_else(self, failed: impl FnOnce(Errno) -> SourceError) -> SourceError {
        match self {
            Self::Link(error) => error,
            Self::Call(errno) => failed(errno),
        }
    }
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self::Call(errno)
    }
}

/// Puts a path's components before those that are still to be walked through, for one who walks by himself. `/` and `.` lead
/// nowhere else.
pub fn prepend(todo: &mut VecDeque<OsString>, path: &Path) {
    for part in path.components().rev() {
        match part {
            Component::Normal(name) => todo.push_front(name.to_owned()),
            Component::ParentDir => todo.push_front(OsString::from("..")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
