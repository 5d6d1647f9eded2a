//! Why a directory can't be used as a root, and what mends it.

use std::fmt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::descend::Stop;
use crate::acl::REMOVE;
use crate::meta::Meta;
use crate::quote::{shell, shown};

/// What is wrong with one component of a path, or with one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flaw {
    /// It is a symbolic link.
    Symlink,
    /// It is not a directory.
    NotDirectory,
    /// It belongs to somebody who must not be able to change it.
    ForeignOwner,
    /// Its group may write to it, or everybody may.
    WritableByOthers,
    /// Its access list allows somebody something that its mode does not tell.
    AccessList,
    /// It is on a file system that somebody has mounted whose program may say anything of it.
    UserMount,
}

impl Flaw {
    /// What keeps `meta` from being trusted, if anybody but `owner` could change the file.
    #[must_use]
    pub fn find(meta: &Meta, owner: u32) -> Option<Self> {
        Self::of(meta.uid, meta.mode, owner)
    }

    /// As [`find`](Self::find), of a file that belongs to `uid` and has this mode.
    #[must_use]
    pub fn of(uid: u32, mode: u32, owner: u32) -> Option<Self> {
        if uid != owner {
            Some(Self::ForeignOwner)
        } else if mode & 0o022 != 0 {
            Some(Self::WritableByOthers)
        } else {
            None
        }
    }

    /// The command that mends it, if there is one: for a shell, with `path` quoted.
    #[must_use]
    pub fn mend(self, path: &Path, meta: &Meta, owner: u32) -> Option<String> {
        self.mend_mode(path, meta.mode, owner)
    }

    /// As [`mend`](Self::mend), of a file with this mode.
    #[must_use]
    pub fn mend_mode(self, path: &Path, mode: u32, owner: u32) -> Option<String> {
        let path = shell(path);
        match self {
            // A foreign owner is often not the only flaw: what else the mode allows goes with it.
            Self::ForeignOwner if mode & 0o022 != 0 => {
                Some(format!("chown {owner} {path} && chmod go-w {path}"))
            }
            Self::ForeignOwner => Some(format!("chown {owner} {path}")),
            Self::WritableByOthers => Some(format!("chmod go-w {path}")),
            Self::AccessList => Some(format!("{REMOVE} {path}")),
            Self::Symlink | Self::NotDirectory | Self::UserMount => None,
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Symlink => "is a symbolic link",
            Self::NotDirectory => "is not a directory",
            Self::ForeignOwner => "is owned by somebody else",
            Self::WritableByOthers => "can be written to by its group or by others",
            Self::AccessList => "has an access list that may let others write to it",
            Self::UserMount => "is on a file system that a user has mounted",
        })
    }
}

/// Why [`open`](super::open) refuses a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootDirError {
    /// The path does not begin with `/`, so it would mean something else after a change of directory.
    Relative {
        /// The path.
        path: PathBuf,
    },
    /// The path has a `..` in it.
    DotDot {
        /// The path.
        path: PathBuf,
    },
    /// The path is `/`: nothing would be confined.
    Slash,
    /// A component that can't be trusted.
    Unsafe {
        /// The path up to the component.
        component: PathBuf,
        /// What is wrong with it.
        what: Flaw,
        /// Its owner.
        uid: u32,
        /// Its group.
        gid: u32,
        /// Its permission bits.
        mode: u32,
        /// The command that mends it, where there is one.
        mend: Option<String>,
    },
    /// A component that can't be opened.
    Open {
        /// The path up to the component.
        component: PathBuf,
        /// Why not.
        source: Errno,
    },
}

impl RootDirError {
    /// The command that mends it, where there is one.
    #[must_use]
    pub fn mend(&self) -> Option<&str> {
        match self {
            Self::Unsafe { mend, .. } => mend.as_deref(),
            _ => None,
        }
    }

    /// The errno behind it, where there is one.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Open { source, .. } => Some(*source),
            _ => None,
        }
    }
}

impl fmt::Display for RootDirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative { path } => write!(f, "{} is not an absolute path", shown(path)),
            Self::DotDot { path } => write!(f, "{} has a .. in it", shown(path)),
            Self::Slash => f.write_str("/ is no root to confine anything in"),
            Self::Unsafe {
                component, what: what @ (Flaw::Symlink | Flaw::NotDirectory), ..
            } => {
                write!(f, "{} {what}", shown(component))
            }
            Self::Unsafe { component, what, uid, gid, mode, .. } => {
                write!(f, "{} {what} (owner {uid}, group {gid}, mode {mode:04o})", shown(component))
            }
            Self::Open { component, source: Errno::ENOENT } => {
                write!(f, "{} does not exist", shown(component))
            }
            Self::Open { component, source } => {
                write!(f, "{}: {}", shown(component), source.desc())
            }
        }
    }
}

impl std::error::Error for RootDirError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<Stop> for RootDirError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Relative(path) => Self::Relative { path },
            Stop::DotDot(path) => Self::DotDot { path },
            Stop::Open(component, source) => Self::Open { component, source },
            Stop::Unsafe { component, what, meta, owner } => Self::Unsafe {
                mend: what.mend(&component, &meta, owner),
                component,
                what,
                uid: meta.uid,
                gid: meta.gid,
                mode: meta.permissions(),
            },
        }
    }
}
