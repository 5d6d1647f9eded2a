//! What is in a root, and not for everybody there, as it is not on the host.

use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::{Note, Options, ThrowawayError};
use crate::closure::Closure;
use crate::rights::Owner;
use crate::safety::Need;
use crate::walk::{Kind, Met, Sysroot, WalkError};

/// Something that others than its owner can't read, or not execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Withheld {
    pub(super) path: PathBuf,
    /// What everybody may do with it.
    bits: u32,
    kind: Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Directory,
    File,
    /// The one file that the user gets all the same.
    Program,
}

impl Withheld {
    pub(super) fn find(path: &Path, bits: u32, executable: bool, kind: Kept) -> Option<Self> {
        let all = if executable { 0o005 } else { 0o004 };
        (bits & all != all).then(|| Self { path: path.to_owned(), bits, kind })
    }

    /// Whether it is a copy that is not for everybody to read.
    pub(super) fn is_private(&self) -> bool {
        self.kind != Kept::Directory && self.bits & 0o004 == 0
    }
}

/// What the user of `options` is told of it; nothing if it is the user's own.
pub(super) fn note(withheld: &[Withheld], options: &Options) -> Option<Note> {
    let mut unread = withheld.iter().filter(|one| one.is_private() && one.kind != Kept::Program);
    let first = unread.next()?.path.clone();
    is_other(options).then(|| Note::Withheld { first, more: unread.count() })
}

/// Whether the user is not the owner of the copies: root copies for others, an ordinary user for himself.
pub(super) fn is_other(options: &Options) -> bool {
    geteuid().is_root() && !options.uid.is_root()
}

/// Whatever the program starts with is the user's to load.
pub(super) fn check_needed(
    withheld: &[Withheld],
    source: &Sysroot,
    closure: &Closure,
    options: &Options,
) -> Result<(), ThrowawayError> {
    if withheld.is_empty() || !is_other(options) {
        return Ok(());
    }
    let program = source.walk(&closure.program).map(|trail| trail.path().to_owned()).ok();
    for path in &closure.loaded {
        let Ok(trail) = source.walk(path) else { continue };
        if program.as_deref() == Some(trail.path()) {
            continue;
        }
        let executed = closure.executed.contains(path);
        let need = if executed { Need::Execute } else { Need::Read };
        let lacks = |one: &&Withheld| one.path == trail.path() && one.bits & need.bit() == 0;
        if withheld.iter().any(|one| lacks(&one)) {
            return Err(refusal(trail.met(), need, options));
        }
    }
    Ok(())
}

/// Why somebody can't have what is at the end of a path of the host's: it, or a directory on the way.
pub(super) fn refusal(met: &[Met], need: Need, options: &Options) -> ThrowawayError {
    let lacks = |met: &&Met, need: Need| {
        Owner::ROOT.bits(met.meta.mode, met.meta.uid, met.meta.gid) & need.bit() == 0
    };
    let mut above = met.iter().filter(|met| met.kind == Kind::Directory);
    let shut = above.find(|met| lacks(met, Need::Search)).map(|met| (met, Need::Search));
    // Never empty: the tree's root is always met.
    let (met, need) = shut.unwrap_or((&met[met.len() - 1], need));
    ThrowawayError::Withheld {
        path: met.path.clone(),
        need,
        user: options.uid,
        uid: met.meta.uid,
        gid: met.meta.gid,
        mode: met.meta.permissions(),
    }
}

/// Of paths that were asked for, the first one that the user can't have.
pub(super) fn check_asked(
    withheld: &[Withheld],
    source: &Sysroot,
    asked: &[PathBuf],
    options: &Options,
) -> Result<(), ThrowawayError> {
    if withheld.is_empty() || !is_other(options) {
        return Ok(());
    }
    for path in asked {
        let trail = match source.walk(path) {
            Ok(trail) => trail,
            Err(e) if e.is_missing() => continue,
            Err(WalkError::Io { path, source }) => {
                return Err(ThrowawayError::Make { call: "look at", path, source });
            }
            Err(_) => return Err(ThrowawayError::Changed { path: path.clone() }),
        };
        if withheld.iter().any(|one| one.path == trail.path() && one.bits & 0o004 == 0) {
            return Err(refusal(trail.met(), Need::Read, options));
        }
    }
    Ok(())
}
