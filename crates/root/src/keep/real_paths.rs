//! Where things come that go into a tree by the host's paths: the tree may have links where the host has none.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use isol_sys::rootdir::Flaw;

use super::KeepError;
use crate::walk::{Kind, Met, Sysroot, Trail};

pub(super) struct RealPaths<'a> {
    root: &'a Sysroot,
    directories: HashMap<PathBuf, At>,
}

/// A place in the tree.
#[derive(Debug, Clone)]
pub(super) struct At {
    /// Without links.
    pub(super) path: PathBuf,
    /// A directory on the way, by a link too, that is not root's alone.
    shared: Option<Box<Shared>>,
}

#[derive(Debug, Clone)]
struct Shared {
    dir: Met,
    what: Flaw,
}

impl At {
    /// The place, for something to be put there.
    ///
    /// Whoever can write to a directory on the way could have laid a link in it, and had root write wherever that leads.
    pub(super) fn for_putting(&self, root: &Sysroot) -> Result<&Path, KeepError> {
        let Some(shared) = &self.shared else { return Ok(&self.path) };
        let outside = |path: &Path| root.path().join(path.strip_prefix("/").unwrap_or(path));
        let Shared { dir, what } = &**shared;
        Err(KeepError::Shared {
            path: outside(&self.path),
            dir: outside(&dir.path),
            what: *what,
            uid: dir.meta.uid,
            gid: dir.meta.gid,
            mode: dir.meta.permissions(),
        })
    }
}

impl<'a> RealPaths<'a> {
    pub(super) fn new(root: &'a Sysroot) -> Self {
        let top = At { path: PathBuf::from("/"), shared: None };
        Self { root, directories: HashMap::from([(PathBuf::from("/"), top)]) }
    }

    /// Directories have to be asked for before what is in them.
    pub(super) fn of(&mut self, path: &Path) -> Result<At, KeepError> {
        let above = path.parent().unwrap_or(Path::new("/"));
        let above = match self.directories.get(above) {
            Some(above) => above.clone(),
            // Something is in the place of a directory.
            None => landed(&self.root.walk(above)?),
        };
        let at = At { path: above.path.join(path.file_name().unwrap_or_default()), ..above };
        let lands = match self.root.walk(&at.path) {
            Ok(trail) => trail.dir().map(|_| landed(&trail)),
            Err(_) => Some(at.clone()),
        };
        if let Some(lands) = lands {
            self.directories.insert(path.to_owned(), lands);
        }
        Ok(at)
    }
}

/// The directory at the end of a path.
fn landed(trail: &Trail) -> At {
    let shared = trail.met().iter().find_map(|met| {
        let flaw = Flaw::find(&met.meta, 0).or(met.listed.then_some(Flaw::AccessList));
        let what = flaw.filter(|_| met.kind == Kind::Directory)?;
        Some(Box::new(Shared { dir: met.clone(), what }))
    });
    At { path: trail.path().to_owned(), shared }
}
