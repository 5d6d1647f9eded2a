//! The quick look before each start: can anybody but root change what is about to be executed or loaded?
//!
//! Every file that will be executed or loaded, and every directory on its way, links followed as they will be
//! inside, has to belong to root and be writable by nobody else. The same holds for what decides which files are loaded: the
//! loader's configuration, and the directories that it searches. Access lists of POSIX.1e need no look of their own:
//! whatever they allow beyond the owner is bounded by the mask, which the group's bits show. Those of NFSv4 are beside the
//! mode, and are looked at where there are any.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use isol_core::{Gid, Uid};
use isol_sys::meta::Meta;
use isol_sys::quote::{shell, shown};
use isol_sys::rootdir::{Flaw, RootDir, RootDirError};
use thiserror::Error;

use crate::closure::Closure;
use crate::walk::{Kind, Sysroot, Trail, WalkError};

/// Why a program must not, or could not, be started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SafetyError {
    /// Somebody else than root could change it.
    #[error("{} {what} (owner {uid}, group {gid}, mode {mode:04o})", shown(path))]
    Unsafe {
        /// The file or directory, as it is reached from outside.
        path: PathBuf,
        /// What is wrong with it.
        what: Flaw,
        /// Its owner.
        uid: u32,
        /// Its group.
        gid: u32,
        /// Its permission bits.
        mode: u32,
        /// The command that mends it.
        mend: Option<String>,
    },
    /// The user could not search, read or execute it.
    #[error("{} can't be {} by uid {user} (owner {uid}, group {gid}, mode {mode:04o})", shown(path), need.done())]
    NotPermitted {
        /// The file or directory, as it is reached from outside.
        path: PathBuf,
        /// What the user has to be able to do.
        need: Need,
        /// The user.
        user: Uid,
        /// The owner.
        uid: u32,
        /// The group.
        gid: u32,
        /// The permission bits.
        mode: u32,
    },
    /// A path can't be resolved.
    #[error(transparent)]
    Walk(#[from] WalkError),
}

impl SafetyError {
    /// The command that mends it, where there is one.
    #[must_use]
    pub fn mend(&self) -> Option<String> {
        match self {
            Self::Unsafe { mend, .. } => mend.clone(),
            Self::NotPermitted { path, need, .. } => Some(need.mend(path)),
            Self::Walk(_) => None,
        }
    }
}

/// What a user has to be able to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Look names up in it.
    Search,
    /// Read it.
    Read,
    /// Execute it.
    Execute,
}

impl Need {
    pub(crate) fn bit(self) -> u32 {
        match self {
            Self::Search | Self::Execute => 1,
            Self::Read => 4,
        }
    }

    /// The command that lets everybody do it.
    pub(crate) fn mend(self, path: &Path) -> String {
        format!("chmod o+{} {}", self.letter(), shell(path))
    }

    /// As chmod(1) writes it.
    fn letter(self) -> char {
        match self {
            Self::Search | Self::Execute => 'x',
            Self::Read => 'r',
        }
    }

    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Search => "searched",
            Self::Read => "read",
            Self::Execute => "executed",
        }
    }
}

/// What is to be looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// What the kernel executes.
    pub executed: &'a [PathBuf],
    /// What is loaded into the process; what is executed may be in it, too.
    pub loaded: &'a [PathBuf],
    /// What decides which files are loaded. It need not be there.
    pub consulted: &'a [PathBuf],
}

impl<'a> From<&'a Closure> for Subject<'a> {
    fn from(closure: &'a Closure) -> Self {
        Self { executed: &closure.executed, loaded: &closure.loaded, consulted: &closure.consulted }
    }
}

/// Who will run.
#[derive(Debug, Clone, Copy)]
pub struct Runner<'a> {
    /// The user.
    pub uid: Uid,
    /// The user's group.
    pub gid: Gid,
    /// The supplementary groups.
    pub groups: &'a [Gid],
}

/// Opens the directory `path`, which is to be a root, and checks it and every directory above it: see
/// [`isol_sys::rootdir::open`].
///
/// # Errors
/// [`RootDirError`] names the component, its owner and mode, and the command that mends it.
///
/// # References
/// open(2), fstat(2)
pub fn check_parents(path: &Path) -> Result<RootDir, RootDirError> {
    isol_sys::rootdir::open(path)
}

/// Looks at everything that will be executed or loaded in the tree `root`, and stops at the first problem.
///
/// # Errors
/// - [`SafetyError::Unsafe`] for what somebody else than root could change;
/// - [`SafetyError::NotPermitted`] for what the user could not search, read or execute;
/// - [`SafetyError::Walk`] for what can't be resolved.
///
/// # References
/// path_resolution(7), acl(5)
///
/// ```no_run
/// use isol_core::{Gid, Uid};
/// use isol_root::{Resolver, Sysroot, safety};
///
/// let root = safety::check_parents("/srv/www".as_ref())?;
/// let path = root.path().to_owned();
/// let tree = Sysroot::from_fd(root.into_fd(), &path)?;
/// let closure = Resolver::new(&tree).closure("/bin/httpd".as_ref(), &[])?;
/// let www = safety::Runner { uid: Uid::new(33).unwrap(), gid: Gid::new(33).unwrap(), groups: &[] };
/// safety::check(&tree, (&closure).into(), www)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check(root: &Sysroot, subject: Subject<'_>, runner: Runner<'_>) -> Result<(), SafetyError> {
    check_for(root, subject, runner, None)
}

/// As [`check`], for an ordinary user who calls: what is his will do as well as what is root's.
///
/// # Errors
/// As [`check`].
pub fn check_for(
    root: &Sysroot,
    subject: Subject<'_>,
    runner: Runner<'_>,
    caller: Option<Uid>,
) -> Result<(), SafetyError> {
    let mut check = Check { root, runner, caller, seen: HashSet::new() };
    for path in subject.executed {
        check.file(path, Need::Execute)?;
    }
    for path in subject.loaded.iter().filter(|path| !subject.executed.contains(path)) {
        check.file(path, Need::Read)?;
    }
    subject.consulted.iter().try_for_each(|path| check.consulted(path))
}

/// As [`check`], but goes on after a problem: each one once. Without a `runner`, what one could read or execute is not
/// looked at.
///
/// # References
/// path_resolution(7), acl(5)
#[must_use]
pub fn problems(
    root: &Sysroot,
    subject: Subject<'_>,
    runner: Option<Runner<'_>>,
) -> Vec<SafetyError> {
    let anybody = Runner { uid: ROOT.0, gid: ROOT.1, groups: &[] };
    let mut check =
        Check { root, runner: runner.unwrap_or(anybody), caller: None, seen: HashSet::new() };
    let mut found = Vec::new();
    let mut add = |result: Result<(), SafetyError>| {
        if let Err(error) = result
            && !found.contains(&error)
        {
            found.push(error);
        }
    };
    for path in subject.executed {
        add(check.file(path, Need::Execute));
    }
    for path in subject.loaded.iter().filter(|path| !subject.executed.contains(path)) {
        add(check.file(path, Need::Read));
    }
    subject.consulted.iter().for_each(|path| add(check.consulted(path)));
    found
}

/// Root may read everything.
const ROOT: (Uid, Gid) = (
    match Uid::new(0) {
        Some(uid) => uid,
        None => panic!(),
    },
    match Gid::new(0) {
        Some(gid) => gid,
        None => panic!(),
    },
);

struct Check<'a> {
    root: &'a Sysroot,
    runner: Runner<'a>,
    caller: Option<Uid>,
    seen: HashSet<PathBuf>,
}

impl Check<'_> {
    fn file(&mut self, path: &Path, need: Need) -> Result<(), SafetyError> {
        let trail = self.root.walk(path)?;
        self.trail(&trail, true)?;
        let last = trail.last();
        self.permitted(&last.path, &last.meta, need)
    }

    /// Neither needs to be readable: what the loader can't read does not lead it astray.
    fn consulted(&mut self, path: &Path) -> Result<(), SafetyError> {
        match self.root.walk(path) {
            Ok(trail) => self.trail(&trail, false),
            // Whoever could make it would decide what it says: the place where it would be counts.
            Err(WalkError::Missing { component, .. }) => {
                if let Some(above) = path.parent() {
                    self.consulted(above)?;
                }
                component
                    .parent()
                    .map_or(Ok(()), |above| self.trail(&self.root.walk(above)?, false))
            }
            Err(WalkError::NotDirectory { component, .. }) => {
                self.trail(&self.root.walk(&component)?, false)
            }
            Err(e) => Err(e.into()),
        }
    }

    fn trail(&mut self, trail: &Trail, searched: bool) -> Result<(), SafetyError> {
        for met in trail.met() {
            // A link can't be changed but by who can write to its directory, and that has been looked at.
            if matches!(met.kind, Kind::Symlink { .. }) {
                continue;
            }
            let owner = match self.caller {
                Some(caller) if met.meta.uid == caller.get() => caller.get(),
                _ => 0,
            };
            if self.seen.insert(met.path.clone())
                && let Some(what) = Flaw::find(&met.meta, owner)
                    .or(met.listed.then_some(Flaw::AccessList))
                    .or(self.foreign(met.mounted_by).then_some(Flaw::UserMount))
            {
                let path = self.outside(&met.path);
                let mend = what.mend(&path, &met.meta, 0);
                let Meta { uid, gid, .. } = met.meta;
                return Err(SafetyError::Unsafe {
                    path,
                    what,
                    uid,
                    gid,
                    mode: met.meta.permissions(),
                    mend,
                });
            }
            if searched && met.kind == Kind::Directory {
                self.permitted(&met.path, &met.meta, Need::Search)?;
            }
        }
        Ok(())
    }

    /// Whether a file system is one of which neither root nor the caller knows what is in it.
    fn foreign(&self, mounted_by: Option<u32>) -> bool {
        mounted_by.is_some_and(|uid| self.caller.is_none_or(|caller| caller.get() != uid))
    }

    fn permitted(&self, path: &Path, meta: &Meta, need: Need) -> Result<(), SafetyError> {
        let Runner { uid, gid, groups } = self.runner;
        let member = gid.get() == meta.gid || groups.iter().any(|group| group.get() == meta.gid);
        let permitted = if uid.is_root() {
            // Root may read and search everything, and execute what anybody may.
            need != Need::Execute || meta.mode & 0o111 != 0
        } else if uid.get() == meta.uid {
            meta.mode >> 6 & need.bit() != 0
        } else if member {
            meta.mode >> 3 & need.bit() != 0
        } else {
            meta.mode & need.bit() != 0
        };
        if permitted {
            return Ok(());
        }
        Err(SafetyError::NotPermitted {
            path: self.outside(path),
            need,
            user: uid,
            uid: meta.uid,
            gid: meta.gid,
            mode: meta.permissions(),
        })
    }

    /// The path as it is reached from outside, for messages and commands.
    fn outside(&self, path: &Path) -> PathBuf {
        self.root.outside(path)
    }
}
