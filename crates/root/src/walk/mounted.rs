//! What will be mounted over parts of a tree: paths are resolved as if it were there already.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Something that will be mounted in a tree.
#[derive(Debug)]
pub struct Mounted {
    /// Where: absolute, without `.` and `..`, and no link is on the way.
    pub target: PathBuf,
    /// What.
    pub what: Content,
}

/// What will be mounted.
#[derive(Debug)]
#[non_exhaustive]
pub enum Content {
    /// A directory of the host's.
    Directory {
        /// Where it is, for messages.
        path: PathBuf,
        /// It, open.
        fd: OwnedFd,
    },
    /// A file of the host's.
    File {
        /// Where it is, for messages.
        path: PathBuf,
        /// The directory that it is in, open.
        parent: OwnedFd,
        /// Its name there.
        name: OsString,
    },
    /// Nothing: a new directory that everybody may write to.
    Empty,
}

/// What will be in a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Over<'a> {
    /// This.
    Content(&'a Content),
    /// A directory in a new file system, in which something else will be.
    Place,
}

/// What will be at `place`, if it is no more what the tree has there.
pub(super) fn over<'a>(all: &'a [Mounted], place: &Path) -> Option<Over<'a>> {
    if let Some(mounted) = all.iter().find(|mounted| mounted.target == place) {
        return Some(Over::Content(&mounted.what));
    }
    let in_new = matches!(around(all, place)?.what, Content::Empty);
    let leads_on = all.iter().any(|mounted| mounted.target.starts_with(place));
    (in_new && leads_on).then_some(Over::Place)
}

/// What `place` will be in: the deepest one.
pub(super) fn around<'a>(all: &'a [Mounted], place: &Path) -> Option<&'a Mounted> {
    let here = all.iter().filter(|mounted| place.starts_with(&mounted.target));
    here.max_by_key(|mounted| mounted.target.components().count())
}
