//! A root that exists for one run: copies of what a program needs, in a directory that goes when the run does.
//!
//! The files are copies, never hard links: whatever happens to them, the host's own don't change. They belong to root,
//! nobody may write to them, and no set-id bit and no file capability comes along. The directory is stood for by a
//! [lock](isol_sys::state::Lock) that is taken first and released last, so that [`sweep`] finds what a killed run
//! has left behind.

mod build;
pub mod cache;
#[cfg(feature = "keep")]
pub(crate) use build::{keep_time, open_source, unchanged};
mod error;
mod remove;
mod sweep;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::{fmt, mem, process};

use isol_core::{Gid, Uid};
use isol_sys::meta::Meta;
use isol_sys::state::{Lock, StateDir};
use nix::errno::Errno;

pub use error::{RemoveError, ThrowawayError};
pub(crate) use remove::remove_tree;
pub use sweep::{Swept, sweep};

use crate::closure::Closure;
use crate::walk::Sysroot;

/// Who will run in the root: the one user, besides root, whom its `/etc/passwd` knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The user.
    pub uid: Uid,
    /// The user's group.
    pub gid: Gid,
    /// The name of both.
    pub name: String,
}

impl Options {
    /// With the name `isol`.
    #[must_use]
    pub fn new(uid: Uid, gid: Gid) -> Self {
        Self { uid, gid, name: String::from("isol") }
    }
}

/// Something that the root lacks, and that its user may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// There is no `/dev/null`.
    NoNullDevice {
        /// Why not.
        source: Errno,
    },
    /// `/tmp` is not for everybody to write to, because something that is executed or loaded is in there.
    TmpReadOnly,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNullDevice { source } => {
                write!(f, "/dev/null could not be made: {}", source.desc())?;
                match *source == Errno::ENOTSUP {
                    true => f.write_str(": devices are in a devfs only"),
                    false => Ok(()),
                }
            }
            Self::TmpReadOnly => {
                f.write_str("/tmp can't be written to: files of the program are in it")
            }
        }
    }
}

/// A throw-away root. Removed when it is dropped; [`remove`](Self::remove) tells whether that went well.
///
/// ```no_run
/// use isol_core::{Gid, Uid};
/// use isol_root::throwaway::Options;
/// use isol_root::{Resolver, Sysroot, Throwaway};
///
/// let host = Sysroot::open("/".as_ref())?;
/// let closure = Resolver::new(&host).closure("/usr/bin/id".as_ref(), &[])?;
/// let state = isol_sys::state::StateDir::open_for_roots()?;
/// let options = Options::new(Uid::new(61184).unwrap(), Gid::new(61184).unwrap());
/// let root = Throwaway::create(&state, &host, &closure, &options)?;
/// println!("{}", root.path().display());
/// root.remove()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Throwaway {
    state: StateDir,
    name: String,
    path: PathBuf,
    fd: OwnedFd,
    notes: Vec<Note>,
    made_by: u32,
    /// What is needed to keep it for a later run.
    keep: Option<cache::Keep>,
    // Released after everything else: dropped last, and by hand.
    lock: Option<Lock>,
}

impl Throwaway {
    /// Makes a root with what `closure` names, copied from the tree `source` that the closure was made from.
    ///
    /// Besides that there are a `/tmp` for everybody, a `/dev/null` where one can be made, and an `/etc/passwd` and
    /// `/etc/group` that know root and the user of `options`. What could not be had is in [`notes`](Self::notes).
    ///
    /// # Errors
    /// [`ThrowawayError`] names the file; whatever had been made by then is removed again.
    ///
    /// # References
    /// mkdirat(2), openat(2), fchmod(2), mknod(2)
    pub fn create(
        state: &StateDir,
        source: &Sysroot,
        closure: &Closure,
        options: &Options,
    ) -> Result<Self, ThrowawayError> {
        build::check(options)?;
        // First the lock, then the directory: whoever is killed in between leaves a lock that a sweep finds.
        let (name, lock) = loop {
            let name = format!("{PREFIX}{:016x}", random());
            if let Some(lock) = state.try_lock(&name)? {
                break (name, lock);
            }
        };
        let fd = build::make_dir(state, &name)?;
        let path = state.path().join(&name);
        let state = state.clone();
        let mut new = Self {
            state,
            name,
            path,
            fd,
            notes: Vec::new(),
            made_by: process::id(),
            keep: None,
            lock: Some(lock),
        };
        // From here on `drop` takes back what has been made.
        new.notes = build::fill(&new.fd, &new.path, source, closure, options)?;
        Ok(new)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its device and inode.
    ///
    /// # Errors
    /// [`ThrowawayError`] if it can't be looked at.
    pub fn id(&self) -> Result<(u64, u64), ThrowawayError> {
        let failed =
            |source| ThrowawayError::Make { call: "fstat", path: self.path.clone(), source };
        Meta::of(&self.fd).map(|meta| (meta.dev, meta.ino)).map_err(failed)
    }

    /// Makes a place for something to be mounted on, where there is none: a directory, or an empty file.
    ///
    /// # Errors
    /// [`ThrowawayError`] names what is in the way; a link is.
    pub fn make_place(&self, path: &Path, is_directory: bool) -> Result<(), ThrowawayError> {
        build::make_place(&self.fd, &self.path, path, is_directory)
    }

    /// What it lacks.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The lock that stands for it, to note down who uses it.
    #[must_use]
    pub fn lock(&self) -> Option<&Lock> {
        self.lock.as_ref()
    }

    /// Removes it.
    ///
    /// # Errors
    /// [`ThrowawayError::Remove`] names what could not be removed. What is left is found by the next [`sweep`].
    pub fn remove(mut self) -> Result<(), ThrowawayError> {
        self.take_away()
    }

    fn take_away(&mut self) -> Result<(), ThrowawayError> {
        // In a forked child this is a copy; the root is the parent's.
        let Some(lock) = self.lock.take() else { return Ok(()) };
        if self.made_by != process::id() {
            mem::forget(lock);
            return Ok(());
        }
        match remove_tree(self.state.as_fd(), self.state.path(), &self.name) {
            Ok(()) => Ok(lock.release()?),
            Err(e) => {
                lock.abandon();
                Err(e.into())
            }
        }
    }
}

impl AsFd for Throwaway {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        // What is left is found by the next sweep.
        let _ = self.take_away();
    }
}

/// Copies what `closure` names from the tree `source` into the directory `root`, which has none of it yet: for roots that
/// somebody else takes away.
///
/// # Errors
/// [`ThrowawayError`] names the file; what has been copied by then stays.
///
/// # References
/// mkdirat(2), copy_file_range(2)
pub fn copy_into(
    root: &Sysroot,
    source: &Sysroot,
    closure: &Closure,
) -> Result<(), ThrowawayError> {
    build::entries(root.as_fd(), root.path(), source, closure)
}

/// What the names of throw-away roots begin with.
const PREFIX: &str = "root-";

/// The standard library seeds its hash tables from the kernel's random numbers. The name need not be secret, only free:
/// nobody but root can write where it is used.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
