//! The private directory of things that must not outlive their process, and the locks that say which have.
//!
//! Each thing that a run leaves on the host while it lasts (a throw-away root, an allotted uid) is stood for by a
//! file `NAME.lock` in one directory that only root can write to, and held by flock(2) for as long as the thing is
//! in use. The kernel lets go of the lock when the holder dies, however it dies, so a file that can be locked is
//! stale, and what it stood for can be swept. When nothing runs, the directory is empty,
//! but for [`RANGE_FILE`], of which single bytes are locked.

mod error;
mod lock;
mod make;
mod range;
mod stale;

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "state/linux.rs"]
        mod os;
    } else if #[cfg(target_os = "macos")] {
        #[path = "state/macos.rs"]
        mod os;
    } else {
        #[path = "state/bsd.rs"]
        mod os;
    }
}

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::sys::statvfs::{FsFlags, fstatvfs};
use nix::unistd::geteuid;

pub use error::StateError;
pub use lock::Lock;
pub use range::{Byte, RANGE_FILE};
pub use stale::Stale;

use crate::meta::Meta;
use crate::rootdir::{RootDirError, Rule, descend};

/// The open state directory.
///
/// Every operation is relative to its descriptor: what is done to the path later does not matter.
#[derive(Debug, Clone)]
pub struct StateDir {
    fd: Arc<OwnedFd>,
    path: PathBuf,
}

impl StateDir {
    /// The directories that [`open`](Self::open) tries, in this order, for root. For an ordinary user they are
    /// `$XDG_RUNTIME_DIR/isol` and `/tmp/isol-UID`.
    pub const CANDIDATES: &[&str] = os::CANDIDATES;

    /// Opens, and where need be makes, the first of [`CANDIDATES`](Self::CANDIDATES) that this host has room for.
    ///
    /// It and every directory above it belong to root, or to the ordinary user who calls, and nobody else can write to
    /// them; a sticky directory above will do.
    ///
    /// # Errors
    /// - [`StateError::Untrusted`] if a candidate is there, but somebody else could write to it. The next one is
    ///   not taken instead: two runs that look for their locks in two places don't see each other.
    /// - [`StateError::NoPlace`] if no candidate could be used, with the reason for each.
    ///
    /// # References
    /// open(2), mkdir(2), hier(7)
    ///
    /// ```no_run
    /// let state = isol_sys::state::StateDir::open()?;
    /// let lock = state.try_lock("uid-61184")?.expect("nobody has it");
    /// # Ok::<(), isol_sys::state::StateError>(())
    /// ```
    pub fn open() -> Result<Self, StateError> {
        Self::first(false)
    }

    /// As [`open`](Self::open), but the first one in which programs can be executed: where `/run` is mounted
    /// `noexec`, a root made there would be of no use.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_for_roots() -> Result<Self, StateError> {
        Self::first(true)
    }

    /// Those of [`CANDIDATES`](Self::CANDIDATES) that are there and can be trusted, none of them made anew: the
    /// places to sweep.
    #[must_use]
    pub fn existing() -> Vec<Self> {
        let (paths, rule) = candidates();
        paths.iter().filter_map(|path| Self::trusted(path, rule).ok()).collect()
    }

    /// Opens the directory `path`, or makes it where it is missing (but not those above it): for tests, and for
    /// callers without privilege.
    ///
    /// It has to be the caller's own; those above it may also be root's, and sticky.
    ///
    /// # Errors
    /// [`StateError::Untrusted`] if somebody else could write to it, [`StateError::Make`] if it could not be made.
    ///
    /// ```
    /// let scratch = tempfile::tempdir()?;
    /// let state = isol_sys::state::StateDir::open_at(&scratch.path().join("state"))?;
    /// assert!(state.try_lock("job")?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_at(path: &Path) -> Result<Self, StateError> {
        Self::make(path, Rule::OrUser(geteuid().as_raw()))
    }

    /// The directory beside it, `PATH-cache`, made where it is missing: for what may outlive a run, but can be made
    /// anew at any time. Nothing in there is locked.
    ///
    /// # Errors
    /// As [`open_at`](Self::open_at).
    pub fn cache(&self) -> Result<Self, StateError> {
        let mut path = self.path.clone().into_os_string();
        path.push("-cache");
        Self::open_at(Path::new(&path))
    }

    /// The one that [`cache`](Self::cache) gives, if it is there and can be trusted.
    #[must_use]
    pub fn existing_cache(&self) -> Option<Self> {
        let mut path = self.path.clone().into_os_string();
        path.push("-cache");
        Self::trusted(Path::new(&path), Rule::OrUser(geteuid().as_raw())).ok()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether device nodes work in it: not on a file system that is mounted `nodev`.
    ///
    /// # Errors
    /// [`StateError::Io`] if the file system can't be asked.
    pub fn devices_work(&self) -> Result<bool, StateError> {
        os::mounted(&self.fd).map(|how| !how.nodev).map_err(|e| self.io("fstatfs", "", e))
    }

    fn first(for_roots: bool) -> Result<Self, StateError> {
        let mut tried = Vec::new();
        let (paths, rule) = candidates();
        for path in paths {
            let state = match Self::make(&path, rule) {
                Ok(state) => state,
                Err(e) if e.is_absence(&path) => {
                    tried.push(e);
                    continue;
                }
                Err(e) => return Err(e),
            };
            let flags = fstatvfs(&state.fd).map_err(|e| state.io("fstatvfs", "", e))?.flags();
            let how = os::mounted(&state.fd).map_err(|e| state.io("fstatfs", "", e))?;
            if flags.contains(FsFlags::ST_RDONLY) {
                tried.push(StateError::ReadOnly { path: state.path });
            } else if for_roots && how.noexec {
                tried.push(StateError::NoExec { path: state.path });
            } else {
                return Ok(state);
            }
        }
        Err(StateError::NoPlace { tried })
    }

    fn make(path: &Path, rule: Rule) -> Result<Self, StateError> {
        match Self::trusted(path, rule) {
            Err(StateError::Untrusted(RootDirError::Open { component, source: Errno::ENOENT }))
                if component == path => {}
            done => return done,
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(StateError::Untrusted(RootDirError::Slash));
        };
        let (parent, ..) = descend_parent(parent, rule)?;
        let failed = |source| StateError::Make { path: path.to_owned(), source };
        match mkdirat(&parent, name, Mode::S_IRWXU) {
            // The umask may have taken bits away that the owner needs.
            Ok(()) => {
                let made = open_dir(&parent, name).map_err(failed)?;
                fchmod(&made, Mode::S_IRWXU).map_err(failed)?;
            }
            // Another run was quicker.
            Err(Errno::EEXIST) => {}
            Err(e) => return Err(failed(e)),
        }
        Self::trusted(path, rule)
    }

    fn trusted(path: &Path, rule: Rule) -> Result<Self, StateError> {
        let (fd, _, path) =
            descend(path, rule).map_err(|stop| StateError::Untrusted(stop.into()))?;
        Ok(Self { fd: Arc::new(fd), path })
    }

    fn io(&self, call: &'static str, name: &str, source: Errno) -> StateError {
        StateError::Io { call, path: self.path.join(name), source }
    }
}

/// Where the caller keeps state, and who may be able to change it.
fn candidates() -> (Vec<PathBuf>, Rule) {
    let user = geteuid();
    if user.is_root() {
        let paths = StateDir::CANDIDATES.iter().map(PathBuf::from);
        return (paths.collect(), Rule::RootOnly);
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|path| path.is_absolute()).map(|path| path.join("isol"));
    (runtime.into_iter().chain([shared(user)]).collect(), Rule::OrUser(user.as_raw()))
}

/// An ordinary user's place where everybody may make something by that name.
fn shared(user: nix::unistd::Uid) -> PathBuf {
    PathBuf::from(format!("/tmp/isol-{user}"))
}

impl AsFd for StateDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The directory above the state directory: for [`Rule::OrUser`] it need not be the user's own.
fn descend_parent(path: &Path, rule: Rule) -> Result<(OwnedFd, Meta, PathBuf), StateError> {
    let rule = match rule {
        Rule::OrUser(user) => Rule::Above(user),
        rule => rule,
    };
    descend(path, rule).map_err(|stop| StateError::Untrusted(stop.into()))
}

fn open_dir(parent: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    nix::fcntl::openat(parent, name, flags, Mode::empty())
}

#[cfg(test)]
mod tests;
