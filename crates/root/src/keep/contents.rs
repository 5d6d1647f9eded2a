//! What is to be in a tree: a recipe, worked out on this host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use isol_sys::device::Harmless;
use isol_sys::meta::Meta;
use isol_sys::quote::shown;

use super::journal::STAGE;
use super::{Entry, KeepError, Recipe, devices, etc, locale, nss};
use crate::closure::{Closure, EntryKind, ExtraPath, MissingLibrary, Resolver, Why};
use crate::rights::{Owner, Rights};
use crate::walk::{Kind, Sysroot, WalkError};

/// One thing that is to be in a tree.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) what: What,
    pub(super) why: Why,
}

/// What it is to be.
#[derive(Debug, Clone)]
pub(super) enum What {
    Directory {
        mode: u32,
        uid: u32,
        gid: u32,
    },
    Symlink {
        target: PathBuf,
    },
    /// A copy of a host's file.
    File {
        from: PathBuf,
        meta: Meta,
        mode: u32,
        capabilities: bool,
    },
    Text {
        text: Vec<u8>,
    },
    Device(Harmless),
}

/// Everything that is to be in a tree, each directory before what is in it.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) items: BTreeMap<PathBuf, Item>,
    pub(super) skipped: Vec<PathBuf>,
    pub(super) incomplete: Vec<MissingLibrary>,
}

impl Contents {
    pub(super) fn of(host: &Sysroot, recipe: &Recipe) -> Result<Self, KeepError> {
        let closure = closure(host, recipe)?;
        let mut contents = Self::default();
        let mut rights = Rights::of(Owner::ROOT);
        for entry in &closure.entries {
            let what = match &entry.kind {
                EntryKind::Directory { mode, uid, gid } => {
                    directory(mode & 0o700 | rights.directory(&entry.path, *mode, *uid, *gid))
                }
                EntryKind::Symlink { target } => What::Symlink { target: target.clone() },
                EntryKind::File { meta, .. } => {
                    copy(&entry.path, meta, rights.file(&entry.path, meta), recipe)
                }
                EntryKind::Text { text } => What::Text { text: text.clone() },
            };
            contents.items.insert(entry.path.clone(), Item { what, why: entry.why });
        }
        (contents.skipped, contents.incomplete) = (closure.skipped, closure.incomplete);
        for name in &recipe.etc {
            etc::add(name, host, recipe, &mut contents)?;
        }
        if recipe.nss {
            nss::configure(&mut contents)?;
        }
        for name in &recipe.dev {
            let device = devices::by_name(name)?;
            contents.put(&Path::new("/dev").join(name), What::Device(device), Why::Device)?;
        }
        if recipe.tmp {
            let what = What::Directory { mode: 0o1777, uid: 0, gid: 0 };
            contents.put(Path::new("/tmp"), what, Why::Writable)?;
        }
        for writable in &recipe.writable {
            let what = What::Directory { mode: 0o700, uid: writable.uid, gid: writable.gid };
            contents.put(&writable.path, what, Why::Writable)?;
        }
        contents.check()
    }

    /// Puts something in a place, and makes the directories above where they are missing.
    pub(super) fn put(&mut self, path: &Path, what: What, why: Why) -> Result<(), KeepError> {
        for above in path.ancestors().skip(1).filter(|above| *above != Path::new("/")) {
            let made = || Item { what: directory(0o755), why };
            let item = self.items.entry(above.to_owned()).or_insert_with(made);
            if !matches!(item.what, What::Directory { .. }) {
                return Err(taken(above, &item.what));
            }
        }
        match (self.items.get(path).map(|item| &item.what), &what) {
            // A directory that is needed anyway becomes what is asked for.
            (None, _) | (Some(What::Directory { .. }), What::Directory { .. }) => {
                self.items.insert(path.to_owned(), Item { what, why });
            }
            (Some(What::Device(there)), What::Device(device)) if there == device => {}
            (Some(there), What::Directory { .. } | What::Device(_)) => {
                return Err(taken(path, there));
            }
            // Of two files the first one counts.
            _ => {}
        }
        Ok(())
    }

    /// Puts a copy of the host's file `from` in a place, whatever links lead to it; false if there is none.
    pub(super) fn put_copy(
        &mut self,
        host: &Sysroot,
        from: &Path,
        at: &Path,
        why: Why,
    ) -> Result<bool, KeepError> {
        let trail = match host.walk(from) {
            Ok(trail) => trail,
            Err(e) if e.is_missing() => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        if trail.last().kind != Kind::File {
            return Ok(false);
        }
        let bits = Owner::ROOT.bits_of(&trail);
        let what = copy(trail.path(), &trail.last().meta, bits, &Recipe::default());
        self.put(at, what, why).map(|()| true)
    }

    /// Nothing is to come into a directory of a tree's that is there for programs to write to.
    pub(super) fn check_against(&self, entries: &[Entry]) -> Result<(), KeepError> {
        let shared: Vec<_> = entries.iter().filter(|entry| entry.is_for_writing()).collect();
        for path in self.items.keys() {
            let is_in = |entry: &&&Entry| path.starts_with(&entry.path) && *path != entry.path;
            if let Some(shared) = shared.iter().find(is_in) {
                return Err(KeepError::CantHonour {
                    what: format!("{} can't be added", shown(path)),
                    why: format!(
                        "{} is for programs to write to, and what isol puts into a tree is root's alone",
                        shown(&shared.path)
                    ),
                    help: None,
                });
            }
        }
        Ok(())
    }

    /// Nothing is executed or loaded from where somebody else could put something in its place.
    fn check(self) -> Result<Self, KeepError> {
        let for_writing =
            |path: &&Path| self.items.get(*path).is_some_and(|item| item.is_for_writing());
        for (path, item) in &self.items {
            if path.starts_with(Path::new("/").join(STAGE)) {
                return Err(KeepError::CantHonour {
                    what: format!("{} can't be in a tree", shown(path)),
                    why: String::from("what is there is removed: new things are made there"),
                    help: None,
                });
            }
            if matches!(item.what, What::Directory { .. }) {
                continue;
            }
            if let Some(above) = path.ancestors().skip(1).find(for_writing) {
                return Err(KeepError::CantHonour {
                    what: format!("{} can't be for writing", above.display()),
                    why: format!("{} is in it, and is to be root's alone", path.display()),
                    help: None,
                });
            }
        }
        Ok(self)
    }
}

/// What is asked for can't be had, because of what the host has there.
fn taken(path: &Path, there: &What) -> KeepError {
    let (is, help) = match there {
        What::Symlink { target } => {
            let help = format!("name the place that it leads to, {}", shown(&led(path, target)));
            (format!("a link to {}", shown(target)), Some(help))
        }
        What::Directory { .. } => (String::from("a directory"), None),
        What::Device(_) => (String::from("a device"), None),
        What::File { .. } | What::Text { .. } => (String::from("a file"), None),
    };
    KeepError::CantHonour {
        what: format!("{} can't be made as it is asked for", shown(path)),
        why: format!("it is {is} in the tree"),
        help,
    }
}

/// What a link says, as a path; other links on the way are for the user to see.
fn led(link: &Path, target: &Path) -> PathBuf {
    let mut path = PathBuf::from("/");
    for part in link.parent().unwrap_or(link).join(target).components() {
        match part {
            std::path::Component::Normal(name) => path.push(name),
            std::path::Component::ParentDir => drop(path.pop()),
            _ => {}
        }
    }
    path
}

impl Item {
    pub(super) fn is_for_writing(&self) -> bool {
        matches!(self.what, What::Directory { mode, uid, .. } if uid != 0 || mode & 0o022 != 0)
    }
}

fn closure(host: &Sysroot, recipe: &Recipe) -> Result<Closure, KeepError> {
    let resolver = Resolver::new(host);
    let added = |path: &PathBuf| ExtraPath { follow: true, ..ExtraPath::added(path.clone()) };
    let mut extra: Vec<_> = recipe.add.iter().map(added).collect();
    // What has gone since the program was watched was not needed by the program that is there now.
    let still_there = |path: &&PathBuf| !matches!(host.walk(path), Err(e) if e.is_missing());
    extra.extend(recipe.traced.iter().filter(still_there).map(|path| ExtraPath {
        path: path.clone(),
        why: Why::Traced,
        deep: false,
        follow: false,
    }));
    for name in &recipe.locale {
        let found = locale::find(host, name)?;
        extra.extend(found.map(|path| ExtraPath {
            path,
            why: Why::Locale,
            deep: true,
            follow: true,
        }));
    }
    if recipe.nss {
        // Where the modules are depends on the loader of the programs, which has to be known first.
        let first = resolver.closure_of(&recipe.programs, &extra)?;
        extra.extend(nss::modules(host, &first)?);
    }
    Ok(resolver.closure_of(&recipe.programs, &extra)?)
}

/// A directory is for nobody to write to.
fn directory(mode: u32) -> What {
    What::Directory { mode: mode & 0o755, uid: 0, gid: 0 }
}

/// A file is for those whom `bits` names, never for more people than on the host, and for nobody to write to.
fn copy(from: &Path, meta: &Meta, bits: u32, recipe: &Recipe) -> What {
    let set_id = if recipe.set_id { meta.mode & 0o6000 } else { 0 };
    What::File {
        from: from.to_owned(),
        meta: *meta,
        mode: meta.mode & 0o500 | bits | set_id,
        capabilities: recipe.capabilities,
    }
}

/// Reads a small file of the host's; `None` if it is not there.
pub(super) fn read(host: &Sysroot, path: &Path) -> Result<Option<Vec<u8>>, WalkError> {
    const MAX: u64 = 1 << 20;
    host.read_file(path, MAX)
}
