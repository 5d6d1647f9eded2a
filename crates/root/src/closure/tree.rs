//! The entries of a closure while it is put together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Entry, EntryKind, Why};
use crate::walk::{Kind, Met, Trail};

/// In the order of paths, component by component: a directory comes before what is in it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    entries: BTreeMap<PathBuf, (EntryKind, Why)>,
    /// What is added now is added for this.
    pub(super) why: Why,
}

impl Tree {
    /// Adds everything met on the way to the end of a path. Devices, sockets and pipes are left out.
    pub(super) fn add(&mut self, trail: &Trail) {
        trail.met().iter().for_each(|met| self.add_one(met));
    }

    pub(super) fn add_one(&mut self, met: &Met) {
        let kind = match &met.kind {
            Kind::Directory => EntryKind::Directory {
                mode: met.meta.permissions(),
                uid: met.meta.uid,
                gid: met.meta.gid,
            },
            Kind::Symlink { target } => EntryKind::Symlink { target: target.clone() },
            Kind::File => {
                EntryKind::File { executable: met.meta.mode & 0o111 != 0, meta: met.meta }
            }
            Kind::Other => return,
        };
        self.put(&met.path, kind);
    }

    /// Adds a link in a directory that has been added, and not what it points to.
    pub(super) fn add_link(&mut self, path: &Path, target: PathBuf) {
        self.put(path, EntryKind::Symlink { target });
    }

    /// Adds a made-up file, in place of one that may be there.
    pub(super) fn add_text(&mut self, path: &Path, text: Vec<u8>) {
        for dir in path.ancestors().skip(1) {
            self.put(dir, EntryKind::Directory { mode: 0o755, uid: 0, gid: 0 });
        }
        self.entries.insert(path.to_owned(), (EntryKind::Text { text }, self.why));
    }

    /// What was there first stays.
    fn put(&mut self, path: &Path, kind: EntryKind) {
        self.entries.entry(path.to_owned()).or_insert((kind, self.why));
    }

    pub(super) fn into_entries(mut self) -> Vec<Entry> {
        // The root itself is there before anything is put into it.
        self.entries.remove(Path::new("/"));
        self.entries.into_iter().map(|(path, (kind, why))| Entry { path, kind, why }).collect()
    }
}
