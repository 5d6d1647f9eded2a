//! Files with several names, and whether all of these are in the tree.

use std::collections::HashMap;
use std::path::PathBuf;

use isol_sys::meta::Meta;

#[derive(Debug, Default)]
pub(super) struct Links(HashMap<(u64, u64), Names>);

#[derive(Debug)]
struct Names {
    all: u64,
    seen: u64,
    path: PathBuf,
}

impl Links {
    /// Counts one name of a regular file that others than root may write to; its owner counts, whatever the mode says.
    pub(super) fn add(&mut self, meta: &Meta, path: impl FnOnce() -> PathBuf) {
        if meta.nlink > 1 && (meta.uid != 0 || meta.writable_by_others()) {
            let new = || Names { all: meta.nlink, seen: 0, path: path() };
            self.0.entry((meta.dev, meta.ino)).or_insert_with(new).seen += 1;
        }
    }

    /// The first name seen of each file that has more names than were seen.
    pub(super) fn outside(self) -> impl Iterator<Item = PathBuf> {
        self.0.into_values().filter(|names| names.seen < names.all).map(|names| names.path)
    }
}
