//! Why a tree could not be made, changed or looked at.

use std::io;
use std::path::{Path, PathBuf};

use isol_sys::quote::{shell, shown};
use isol_sys::rootdir::{Flaw, RootDirError};
use isol_sys::state::StateError;
use nix::errno::Errno;
use thiserror::Error;

use crate::closure::ClosureError;
use crate::throwaway::{RemoveError, ThrowawayError};
use crate::walk::WalkError;

/// Why a tree could not be made, changed or looked at. The tree is what it was before, but for
/// [`Unfinished`](Self::Unfinished) and [`InTheWay`](Self::InTheWay).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The tree, or a directory above it, can't be trusted.
    #[error(transparent)]
    RootDir(#[from] RootDirError),
    /// What a program needs can't be found on the host.
    #[error(transparent)]
    Closure(#[from] ClosureError),
    /// A path can't be resolved.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// There is no place for a lock.
    #[error(transparent)]
    State(#[from] StateError),
    /// The host's file can't be read, or has changed meanwhile.
    #[error(transparent)]
    Source(#[from] ThrowawayError),
    /// What an earlier call has left can't be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// There is something by the name of the tree that is to be built.
    #[error("{} is there already", shown(path))]
    There {
        /// Where.
        path: PathBuf,
    },
    /// Something else is where something is to be added.
    #[error("{} is in the root already, and is another: move it away first", shown(path))]
    Another {
        /// Where, as it is reached from outside.
        path: PathBuf,
    },
    /// Somebody else than root could lay a link where something is to be put.
    #[error(
        "{} can't be put there: {} {what} (owner {uid}, group {gid}, mode {mode:04o}), and what isol puts into a tree is root's alone",
        shown(path),
        shown(dir)
    )]
    Shared {
        /// What, as it is reached from outside.
        path: PathBuf,
        /// The directory on the way.
        dir: PathBuf,
        /// What is wrong with it.
        what: Flaw,
        /// Its owner.
        uid: u32,
        /// Its group.
        gid: u32,
        /// Its permission bits.
        mode: u32,
    },
    /// The tree has no manifest.
    #[error("{} has no manifest ({} is missing)", shown(root), shown(manifest))]
    NoManifest {
        /// The tree.
        root: PathBuf,
        /// Where the manifest would be.
        manifest: PathBuf,
    },
    /// The manifest, or what an interrupted change has noted, can't be read.
    #[error("{}: {why}", shown(path))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Another process works on the tree, and does not come to an end.
    #[error("another isol works on {}", shown(path))]
    Busy {
        /// The tree.
        path: PathBuf,
    },
    /// What the tree was asked to hold has gone from the host.
    #[error("not on this host any more: {}", listed(paths))]
    Gone {
        /// The tree.
        root: PathBuf,
        /// What.
        paths: Vec<PathBuf>,
    },
    /// Trees that are kept are root's.
    #[error("trees that are kept are root's: uid {user} can't make or change one")]
    NotRoot {
        /// Who calls.
        user: u32,
    },
    /// Something is mounted in the tree, a part of the same file system maybe: nothing can be put there.
    #[error("something is mounted on {}", shown(path))]
    Mounted {
        /// Where.
        path: PathBuf,
    },
    /// A change is noted down, and could not be carried through. The tree is the new one: whoever comes next does it.
    #[error("{why}; the change is noted, and the next call for {} carries it through", shown(root))]
    Unfinished {
        /// The tree.
        root: PathBuf,
        /// What has happened.
        why: Box<KeepError>,
    },
    /// Somebody has put something else in the way of a change while it was carried out. Everything else is done.
    #[error("something else has come in the way of {}: the rest is done", shown(path))]
    InTheWay {
        /// The tree.
        root: PathBuf,
        /// Where.
        path: PathBuf,
    },
    /// What is asked for can't be had here.
    #[error("{what}: {why}")]
    CantHonour {
        /// What.
        what: String,
        /// Why not.
        why: String,
        /// What would mend it.
        help: Option<String>,
    },
    /// A system call failed.
    #[error("can't {call} {}: {}", shown(path), source.desc())]
    Io {
        /// What was tried.
        call: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: Errno,
    },
}

fn listed(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| shown(path).to_string()).collect::<Vec<_>>().join(", ")
}

impl KeepError {
    /// The command that mends it, where there is one.
    #[must_use]
    pub fn mend(&self) -> Option<String> {
        match self {
            Self::RootDir(e) => e.mend().map(str::to_owned),
            Self::State(e) => e.mend().map(str::to_owned),
            Self::Remove(e) => e.mend(),
            Self::There { path } => {
                Some(format!("isol root add {0} PATH..., or isol root update {0}", shell(path)))
            }
            // Of one that was made by other means nobody knows what it should be.
            Self::NoManifest { root, .. } => {
                let old = {
                    let mut old = root.clone().into_os_string();
                    old.push(".old");
                    PathBuf::from(old)
                };
                Some(format!(
                    "mv {0} {1} && isol root build {0} --program PROGRAM",
                    shell(root),
                    shell(&old)
                ))
            }
            // One with the sticky bit is everybody's on purpose.
            Self::Shared { dir, what, mode, .. } if mode & 0o1000 == 0 => {
                what.mend_mode(dir, *mode, 0)
            }
            Self::Gone { root, paths } => {
                let paths = paths.iter().map(|path| format!(" {}", shell(path)));
                Some(format!("isol root remove {}{}", shell(root), paths.collect::<String>()))
            }
            Self::NotRoot { .. } => Some(String::from(
                "isol run -- PROGRAM makes a root of its own; trees that stay: the same command as root",
            )),
            Self::Io { path, source: Errno::EROFS, .. } => {
                let dir = shell(path.parent().unwrap_or(path));
                Some(format!("mount -o remount,rw \"$(findmnt -no TARGET -T {dir})\""))
            }
            Self::Mounted { path } => Some(format!("umount {}", shell(path))),
            Self::Unfinished { root, .. } | Self::InTheWay { root, .. } => {
                Some(format!("isol root verify {}", shell(root)))
            }
            Self::CantHonour { help, .. } => help.clone(),
            _ => None,
        }
    }

    /// The errno behind it, where there is one.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::RootDir(e) => e.errno(),
            Self::State(e) => e.errno(),
            Self::Unfinished { why, .. } => why.errno(),
            Self::Walk(WalkError::Io { source, .. })
            | Self::Io { source, .. }
            | Self::Source(ThrowawayError::Make { source, .. }) => Some(*source),
            _ => None,
        }
    }

    pub(super) fn io(call: &'static str, path: &Path) -> impl Fn(Errno) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { call, path: path.clone(), source }
    }

    pub(super) fn std(call: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let failed = Self::io(call, path);
        move |e| failed(Errno::from_raw(e.raw_os_error().unwrap_or(nix::libc::EIO)))
    }
}
