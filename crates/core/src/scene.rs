//! What steps hand to each other while a plan is prepared.

use std::ffi::OsString;
use std::fmt::Debug;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Command, Ids, Mode, Uid};

/// The root directory, opened and checked.
#[derive(Debug)]
pub struct RootHandle {
    /// Where it is, on the host.
    pub path: PathBuf,
    /// The checked directory itself. It is entered through this, never by its path.
    pub fd: OwnedFd,
    /// Its device number.
    pub device: u64,
    /// Its inode number.
    pub inode: u64,
}

/// Something of the host's that is to be mounted, opened and checked.
#[derive(Debug)]
pub enum SourceHandle {
    /// A directory.
    Directory {
        /// Where it is, without any symbolic link.
        path: PathBuf,
        /// It, open: for looking at, and on Linux perhaps for nothing else (`O_PATH`).
        fd: OwnedFd,
        /// Its device and inode number.
        identity: (u64, u64),
    },
    /// Anything else.
    File {
        /// Where it is, without any symbolic link.
        path: PathBuf,
        /// The directory that it is in, open.
        parent: OwnedFd,
        /// Its name there.
        name: OsString,
        /// Its device and inode number.
        identity: (u64, u64),
    },
}

impl SourceHandle {
    /// Where it is, on the host, without any symbolic link.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Directory { path, .. } | Self::File { path, .. } => path,
        }
    }

    /// Its device and inode number: what is mounted has to be that.
    #[must_use]
    pub fn identity(&self) -> (u64, u64) {
        match self {
            Self::Directory { identity, .. } | Self::File { identity, .. } => *identity,
        }
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        matches!(self, Self::Directory { .. })
    }
}

/// A mount that the policy asks for, looked at.
#[derive(Debug)]
pub struct MountHandle {
    /// As the user has written it.
    pub asked: String,
    /// Where it is mounted, inside: absolute, without `.`, and no link is on the way.
    pub target: PathBuf,
    /// What is mounted; nothing, but a new and empty file system, for `--tmpfs`.
    pub source: Option<SourceHandle>,
    /// Whether it can't be written to.
    pub read_only: bool,
    /// How many bytes a new file system takes at most.
    pub size: Option<u64>,
    /// What has to be made before it can be mounted, because it lies in one that is new and empty: each directory before
    /// what is in it, the target last, which is a directory if the source is one.
    pub make: Vec<PathBuf>,
}

/// A hold on something that must not be used by two runs at once, such as a uid.
pub trait Hold: Debug + Send + Sync {
    /// Notes down, for whoever finds the hold after a crash, what it was for.
    ///
    /// # Errors
    /// The note could not be written.
    fn note(&self, text: &str) -> io::Result<()>;

    /// The descriptor, close-on-exec, by which the process that is locked in keeps the hold itself. `None` where
    /// somebody else keeps it, who outlives the program.
    fn descriptor(&self) -> Option<i32> {
        None
    }

    /// An attempt is over: the program is under way, or the process locked in, so that whoever looks sees it by now; or
    /// nothing has been started.
    fn settled(&self) {}

    /// Whether everything that ran under it has been seen to have ended.
    fn is_over(&self) -> bool {
        false
    }
}

/// The state of a plan that is being prepared.
#[derive(Debug)]
#[non_exhaustive]
pub struct Scene {
    /// How the plan will be carried out.
    pub mode: Mode,
    /// The program, where there is one. `program` makes its path absolute.
    pub command: Option<Command>,
    /// Who the program will be, once that is known.
    pub ids: Option<Ids>,
    /// Where the root is, once that is known.
    pub root_path: Option<PathBuf>,
    /// The ordinary user who calls, if it is as him that the program runs: his files are trusted beside root's.
    pub caller: Option<Uid>,
    /// As whom the program is known outside, where that differs from what it is inside.
    pub outside: Option<Ids>,
    /// The user namespace that it will be in; kept open until it is entered.
    pub user_namespace: Option<Arc<OwnedFd>>,
    /// The root, once it has been opened and checked.
    pub root: Option<RootHandle>,
    /// What is to be mounted in it, once that has been opened and checked: from the top down.
    pub mounts: Vec<MountHandle>,
    /// What is entered in its place, where that is a mount of the same directory; what is looked for in the root is looked
    /// for in the root itself.
    pub entered: Option<RootHandle>,
    /// The hold on the uid: on one that is allotted for as long as the program runs, on another until it has started.
    pub uid_hold: Option<Arc<dyn Hold>>,
    /// The environment, resolved; without it the program would inherit the caller's.
    pub environment: Option<Vec<(OsString, OsString)>>,
    /// What the jail is called that will be made.
    pub jail_name: Option<String>,
    /// The filter of system calls that the program will be under, compiled, where it tells what it refuses.
    pub filter: Option<Vec<u8>>,
    /// What the user should hear of, though it stops nothing.
    pub notes: Vec<String>,
}

impl Scene {
    /// A scene on which nothing stands yet.
    #[must_use]
    pub fn new(mode: Mode, command: Option<Command>) -> Self {
        Self {
            mode,
            command,
            ids: None,
            caller: None,
            outside: None,
            user_namespace: None,
            root_path: None,
            root: None,
            mounts: Vec::new(),
            entered: None,
            uid_hold: None,
            environment: None,
            jail_name: None,
            filter: None,
            notes: Vec::new(),
        }
    }
}
