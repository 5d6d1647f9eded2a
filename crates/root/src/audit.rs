//! The look at the whole of a tree, at the directories above it, and at what else there is of the user who will run in it.
//!
//! It is a reading look: no file is opened for more than its attributes, no symbolic link is followed, and nothing that is
//! mounted in the tree is gone into unless that is asked for. What can't be looked at is a finding, too: a tree that was
//! seen in part is not clean.
//!
//! What this does not do: it looks into no program, so that what one loads by a name of its own is not known here; before
//! each start [`safety`](crate::safety) looks at the very files that one program needs, by the same rules.

mod above;
mod configuration;
mod crew;
mod devices;
mod finding;
mod fix;
mod links;
mod place;
mod rules;
mod symlinks;
mod user;

use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use isol_core::Guarantee;
use isol_sys::brief::Brief;
use isol_sys::quote::shown;
use isol_sys::rootdir::RootDirError;
use thiserror::Error;

use crate::walk::{Sysroot, WalkError};
use crew::Way;
use devices::Devices;
pub use finding::{Finding, Severity, What};
pub use fix::{Mended, mend};
use links::Links;
use rules::{LinksOnly, Mark, Rules};
pub use user::User;

/// What to look at, and what is allowed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Device nodes of the host's whose like may be in the tree, besides null, zero, full, random, urandom and tty.
    pub devices: Vec<PathBuf>,
    /// Who will run in it.
    pub user: Option<User>,
    /// Look for the user's files outside, too.
    pub files_outside: bool,
    /// Go into what is mounted in the tree.
    pub across_mounts: bool,
    /// How many threads look, the calling one among them.
    pub threads: NonZero<usize>,
    /// How many bytes are spent on remembering files that have several names. With less, the tree is walked more often.
    pub memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        Self {
            devices: Vec::new(),
            user: None,
            files_outside: false,
            across_mounts: false,
            // The kernel's locks give no more.
            threads: threads.min(const { NonZero::new(8).unwrap() }),
            memory: 64 << 20,
        }
    }
}

/// Why a tree could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The root could not be opened.
    #[error("{0}")]
    Root(RootDirError),
    /// Something else could not be opened or read.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// Something that was named as a device is none.
    #[error("{} is no device of this host's: {why}", shown(path))]
    NoDevice {
        /// What was named.
        path: PathBuf,
        /// What it is.
        why: String,
    },
}

/// Whoever is told of findings, by any thread.
#[derive(Clone, Copy)]
struct Report<'a>(&'a (dyn Fn(Finding) + Sync));

impl Report<'_> {
    fn send(&self, finding: Finding) {
        (self.0)(finding);
    }
}

/// Looks at the root `path`, at the directories above it, at everything in it, and at the user's doings outside, and tells
/// `found` of each finding, in no order. `looked_at` counts on while it goes.
///
/// It takes root to see everything. What is created meanwhile may be missed.
///
/// # Errors
/// [`AuditError`] if the root can't be opened, or is `/`; what can't be looked at in it is a finding.
///
/// # References
/// statx(2), getdents64(2), openat2(2), inode(7), capabilities(7)
///
/// ```
/// use isol_root::audit::{Options, What, audit};
/// let dir = tempfile::tempdir()?;
/// let mut found = Vec::new();
/// let mut tell = |finding: isol_root::audit::Finding| found.push(finding.what);
/// audit(dir.path(), &Options::default(), &Default::default(), &mut tell)?;
/// # let owned = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(dir.path())?);
/// // Whoever can write to /tmp can put another directory in this one's place.
/// # if std::env::temp_dir() == std::path::Path::new("/tmp") {
/// assert!(found.contains(&What::UnsafeAbove));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn audit(
    path: &Path,
    options: &Options,
    looked_at: &AtomicU64,
    found: &mut (dyn FnMut(Finding) + Send),
) -> Result<(), AuditError> {
    let found = Mutex::new(found);
    let tell = |finding| found.lock().unwrap_or_else(PoisonError::into_inner)(finding);
    let report = Report(&tell);
    let devices = Devices::of_host(&options.devices)?;
    let root = above::open(path, report)?;
    configuration::look(&root, report);
    if let Some(user) = &options.user {
        user.look(report);
    }
    tree(&root, options, devices, None, looked_at, report)?;
    if let Some(user) = options.user.as_ref().filter(|_| options.files_outside) {
        let host = Sysroot::open(Path::new("/"))?;
        user.files_outside(&host, &root, options, looked_at, report)?;
    }
    Ok(())
}

/// Finds everything in the tree `root` that breaks [`Guarantee::RootClean`]; nothing above it, nothing else.
///
/// # Errors
/// As [`audit`].
///
/// # References
/// inode(7), capabilities(7)
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let root = isol_root::Sysroot::open(dir.path())?;
/// assert!(isol_root::audit::unclean(&root, &Default::default())?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unclean(root: &Sysroot, options: &Options) -> Result<Vec<Finding>, AuditError> {
    let found = Mutex::new(Vec::new());
    let tell = |finding| found.lock().unwrap_or_else(PoisonError::into_inner).push(finding);
    let devices = Devices::of_host(&options.devices)?;
    let only = Some(Guarantee::RootClean);
    tree(root, options, devices, only, &AtomicU64::new(0), Report(&tell))?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by(|a, b| (a.severity, &a.path, a.what).cmp(&(b.severity, &b.path, b.what)));
    Ok(found)
}

fn tree(
    root: &Sysroot,
    options: &Options,
    devices: Devices,
    only: Option<Guarantee>,
    looked_at: &AtomicU64,
    report: Report<'_>,
) -> Result<(), AuditError> {
    let links = &Links::new(options.memory);
    let rules = Rules {
        root,
        devices,
        user: options.user.as_ref(),
        across: options.across_mounts,
        only,
        links,
        report,
        looked_at,
    };
    let way = way(options);
    walk(root, Mark::default(), way, &rules)?;
    rules.links();
    while links.again() {
        walk(root, (), way, &LinksOnly { links, all: only.is_none() })?;
        rules.links();
    }
    Ok(())
}

fn walk<V: crew::Visitor>(
    root: &Sysroot,
    mark: V::Mark,
    way: Way,
    visitor: &V,
) -> Result<(), AuditError> {
    let io = |source| WalkError::Io { path: root.path().to_owned(), source };
    let (dir, brief) = open_again(root).map_err(io)?;
    Ok(crew::walk(dir, &brief, mark, way, visitor).map_err(io)?)
}

/// Anew: a descriptor's place in the listing is shared with its copies.
fn open_again(root: &Sysroot) -> nix::Result<(OwnedFd, Brief)> {
    use isol_sys::below::{Opened, directory};
    match directory(root, c".", root.meta().dev, true)? {
        Opened::Directory(fd, brief) => Ok((fd, brief)),
        Opened::Mount => Err(nix::errno::Errno::EXDEV),
    }
}

fn way(options: &Options) -> Way {
    // A part of what may be open, so that other threads of this process have room too.
    let limit =
        usize::try_from(isol_sys::limits::open_files().unwrap_or(256)).unwrap_or(usize::MAX);
    let open = (limit / (4 * options.threads.get())).clamp(2, 256);
    Way { threads: options.threads, across: options.across_mounts, open }
}

#[cfg(test)]
mod tests;
