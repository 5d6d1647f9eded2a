//! What everybody may do with a copy: never more than with the file that it is a copy of.
//!
//! A copy is its maker's, and so its bits for the group and for others are other people's than those of the host's file.
//! And a file may be for nobody because of a directory above it, whatever its own mode says.

use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;

#[cfg(feature = "keep")]
use crate::walk::{Kind, Trail};

const GROUP: u32 = 0o070;
const OTHERS: u32 = 0o007;

/// Whose the copies are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Owner {
    pub(crate) const ROOT: Self = Self { uid: 0, gid: 0 };

    /// The bits, for the group and for others, that a copy of the owner's may have: of a group that the copy is not of
    /// nobody is known, and whom the owner or the group of the host's file was kept from it might be among the others.
    pub(crate) fn bits(self, mode: u32, uid: u32, gid: u32) -> u32 {
        let others = mode & OTHERS;
        let others = if uid == self.uid { others } else { others & mode >> 6 };
        let others = if gid == self.gid { others } else { others & mode >> 3 };
        let group = if gid == self.gid { mode & GROUP } else { others << 3 };
        (group | others) & 0o055
    }

    /// As [`bits`](Self::bits), of what is at the end of a path: the directories on the way count.
    #[cfg(feature = "keep")]
    pub(crate) fn bits_of(self, trail: &Trail) -> u32 {
        let bits = |meta: &Meta| self.bits(meta.mode, meta.uid, meta.gid);
        let above = trail.met().iter().filter(|met| met.kind == Kind::Directory);
        above.fold(bits(&trail.last().meta), |rights, dir| rights & opened(bits(&dir.meta)))
    }
}

/// What can be reached at most through a directory with these bits.
fn opened(bits: u32) -> u32 {
    let group = if bits & 0o010 == 0 { 0 } else { GROUP };
    group | if bits & 0o001 == 0 { 0 } else { OTHERS }
}

/// The rights to one thing after the other, a directory always before what is in it.
#[derive(Debug)]
pub(crate) struct Rights {
    owner: Owner,
    /// The directories above the last thing that not everybody can search, and what can be reached through each.
    shut: Vec<(PathBuf, u32)>,
}

impl Rights {
    pub(crate) fn of(owner: Owner) -> Self {
        Self { owner, shut: Vec::new() }
    }

    /// Of a directory.
    pub(crate) fn directory(&mut self, path: &Path, mode: u32, uid: u32, gid: u32) -> u32 {
        let bits = self.owner.bits(mode, uid, gid);
        let above = self.above(path);
        let reached = above & opened(bits);
        if reached != GROUP | OTHERS {
            self.shut.push((path.to_owned(), reached));
        }
        bits & above
    }

    /// Of a file.
    pub(crate) fn file(&mut self, path: &Path, meta: &Meta) -> u32 {
        self.owner.bits(meta.mode, meta.uid, meta.gid) & self.above(path)
    }

    fn above(&mut self, path: &Path) -> u32 {
        while self.shut.last().is_some_and(|(dir, _)| !path.starts_with(dir)) {
            self.shut.pop();
        }
        self.shut.last().map_or(GROUP | OTHERS, |(_, reached)| *reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_what_was_not_his() {
        let bits = |mode, uid, gid| Owner::ROOT.bits(mode, uid, gid);
        assert_eq!(bits(0o644, 0, 0), 0o044);
        assert_eq!(bits(0o755, 7, 7), 0o055);
        assert_eq!(bits(0o600, 0, 0), 0);
        // The group is another one: shadow's readers are not root's group.
        assert_eq!(bits(0o640, 0, 42), 0);
        assert_eq!(bits(0o640, 0, 0), 0o040);
        // The group was kept from it.
        assert_eq!(bits(0o604, 0, 42), 0);
        assert_eq!(bits(0o604, 0, 0), 0o004);
        assert_eq!(bits(0o044, 7, 0), 0o040);
    }

    #[test]
    fn what_is_in_a_directory_that_is_shut_is_shut() {
        let mut rights = Rights::of(Owner::ROOT);
        let file = {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("f");
            std::fs::write(&path, "").unwrap();
            let mut meta = Meta::of(std::fs::File::open(path).unwrap()).unwrap();
            (meta.mode, meta.uid, meta.gid) = (0o100_644, 0, 0);
            meta
        };
        assert_eq!(rights.directory("/a".as_ref(), 0o755, 0, 0), 0o055);
        assert_eq!(rights.directory("/a/b".as_ref(), 0o750, 0, 0), 0o050);
        assert_eq!(rights.directory("/a/b/c".as_ref(), 0o755, 0, 0), 0o050);
        assert_eq!(rights.file("/a/b/c/f".as_ref(), &file), 0o040);
        assert_eq!(rights.directory("/a/b/d".as_ref(), 0o700, 0, 0), 0);
        assert_eq!(rights.file("/a/b/d/f".as_ref(), &file), 0);
        assert_eq!(rights.file("/a/b/f".as_ref(), &file), 0o040);
        assert_eq!(rights.file("/a/bf".as_ref(), &file), 0o044);
    }
}
