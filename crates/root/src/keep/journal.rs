//! Changing a tree where it stands, so that a process that is killed at any moment leaves the old tree or the new one.
//!
//! 1. What is new is made in `DIR/.isol-stage`, which only root can enter, under numbers, and brought onto the disk.
//! 2. What is to be done, and the manifest of the new tree, are written beside the tree by one rename(2). From here on
//!    the tree is the new one: whoever comes next carries it through.
//! 3. Each staged thing is renamed to its place, and what is to go is removed. Doing it twice does no harm.
//! 4. The new manifest takes its place, and the note and the stage go.
//!
//! Killed before 2: the next call removes the stage. Killed later: the next call does 3 and 4.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use isol_sys::{rename, sync};
use nix::errno::Errno;
use nix::fcntl::renameat;
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::{UnlinkatFlags, fsync, unlinkat};
use serde::{Deserialize, Serialize};

use super::contents::Item;
use super::make::{self, OpenDirs, open_dir};
use super::place::Place;
use super::{Entry, KeepError, Manifest, mounts, path_text};
use crate::throwaway::remove_tree;
use crate::walk::Sysroot;

/// Where new things wait, in the tree.
pub(super) const STAGE: &str = ".isol-stage";

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    steps: Vec<Step>,
    /// What the tree is then; nothing for a tree without one.
    manifest: Option<Manifest>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    /// The staged thing of this number goes to a place; whether something that is there makes room for it.
    Put {
        number: usize,
        #[serde(with = "path_text")]
        path: PathBuf,
        replace: bool,
    },
    /// What is in this place goes.
    Remove {
        #[serde(with = "path_text")]
        path: PathBuf,
        directory: bool,
    },
}

/// A change in the making. Dropped before it is [carried out](Self::carry_out), it leaves nothing.
pub(super) struct Change<'a> {
    place: &'a Place,
    root: &'a Sysroot,
    host: &'a Sysroot,
    stage: OwnedFd,
    steps: Vec<Step>,
    /// The note is written, or may be: the stage is what it speaks of.
    is_noted: bool,
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if !self.is_noted {
            // What can't be removed now is removed by the next call.
            let _ = remove_tree(self.root.as_fd(), self.root.path(), STAGE);
        }
    }
}

impl<'a> Change<'a> {
    pub(super) fn new(
        place: &'a Place,
        root: &'a Sysroot,
        host: &'a Sysroot,
    ) -> Result<Self, KeepError> {
        let failed = |call| KeepError::io(call, &root.path().join(STAGE));
        mkdirat(root, STAGE, Mode::S_IRWXU).map_err(failed("make"))?;
        let stage = open_dir(root, Path::new(STAGE)).map_err(failed("open"))?;
        let change = Self { place, root, host, stage, steps: Vec::new(), is_noted: false };
        fchmod(&change.stage, Mode::S_IRWXU).map_err(failed("chmod"))?;
        Ok(change)
    }

    /// Stages `item`, which is to be at `path`, and says what it will be.
    pub(super) fn put(
        &mut self,
        path: &Path,
        item: &Item,
        replace: bool,
    ) -> Result<Entry, KeepError> {
        mounts::check(self.root, path)?;
        let number = self.steps.len();
        let shown = self.root.path().join(path.strip_prefix("/").unwrap_or(path));
        let name = PathBuf::from(number.to_string());
        let made = make::item(self.stage.as_fd(), &name, &shown, path, item, self.host)?;
        self.steps.push(Step::Put { number, path: path.to_owned(), replace });
        Ok(made)
    }

    pub(super) fn remove(&mut self, path: &Path, directory: bool) -> Result<(), KeepError> {
        mounts::check(self.root, path)?;
        self.steps.push(Step::Remove { path: path.to_owned(), directory });
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Does it; `manifest` is what the tree is then.
    pub(super) fn carry_out(mut self, manifest: Option<Manifest>) -> Result<(), KeepError> {
        let shown = self.root.path().join(STAGE);
        sync::file_system(&self.stage).map_err(KeepError::io("sync", &shown))?;
        let journal = Journal { steps: std::mem::take(&mut self.steps), manifest };
        let name = self.place.journal_name();
        let text = serde_json::to_vec(&journal).map_err(|e| KeepError::Unreadable {
            path: self.place.path_of(&name),
            why: e.to_string(),
        })?;
        if let Err(e) = self.place.write(&name, &text) {
            // The note may have its name already, and not be on the disk.
            self.is_noted = self.place.unlink(&name).is_err();
            return Err(e);
        }
        self.is_noted = true;
        let left = finish(self.place, self.root, journal).map_err(|why| KeepError::Unfinished {
            root: self.root.path().to_owned(),
            why: Box::new(why),
        })?;
        match left.first() {
            None => Ok(()),
            Some(first) => Err(KeepError::InTheWay {
                root: self.root.path().to_owned(),
                path: self.root.path().join(first.strip_prefix("/").unwrap_or(first)),
            }),
        }
    }
}

/// Carries through, or takes back, what a killed process has left.
pub(super) fn recover(place: &Place) -> Result<(), KeepError> {
    place.unlink(&place.beside(".", ".isol-file.new"))?;
    remove_tree(place.as_fd(), &place.path_of(Path::new("")), &place.new_name())?;
    let name = place.journal_name();
    let noted = place.read(&name)?;
    let root = match Meta::at(place, Path::new(&place.name)) {
        Err(Errno::ENOENT) => {
            // The tree has been removed since: there is nothing to carry through.
            return place.unlink(&name);
        }
        _ => place.open()?,
    };
    match noted {
        Some(text) => {
            let journal = serde_json::from_slice(&text).map_err(|e| KeepError::Unreadable {
                path: place.path_of(&name),
                why: e.to_string(),
            })?;
            // What could not be put in its place is missing: `verify` tells of it.
            finish(place, &root, journal).map(drop)
        }
        None => Ok(remove_tree(root.as_fd(), root.path(), STAGE)?),
    }
}

/// The places in which something else has come up meanwhile: it stays, and nothing waits for it to go.
fn finish(place: &Place, root: &Sysroot, journal: Journal) -> Result<Vec<PathBuf>, KeepError> {
    let mut left = Vec::new();
    if let Some(stage) = stage(root)? {
        let mut open = OpenDirs::new(root.as_fd());
        for step in &journal.steps {
            if !step.carry_out(root, &stage, &mut open)? {
                left.push(step.path().to_owned());
            }
        }
        sync::file_system(root).map_err(KeepError::io("sync", root.path()))?;
    }
    if let Some(manifest) = &journal.manifest {
        place.write_manifest(manifest)?;
    }
    // The stage goes last but one: without it the steps are known to have been done.
    remove_tree(root.as_fd(), root.path(), STAGE)?;
    fsync(root).map_err(KeepError::io("sync", root.path()))?;
    place.unlink(&place.journal_name())?;
    place.sync().map(|()| left)
}

fn stage(root: &Sysroot) -> Result<Option<OwnedFd>, KeepError> {
    match open_dir(root, Path::new(STAGE)) {
        Ok(stage) => Ok(Some(stage)),
        Err(Errno::ENOENT) => Ok(None),
        Err(e) => Err(KeepError::io("open", &root.path().join(STAGE))(e)),
    }
}

impl Step {
    fn path(&self) -> &Path {
        let (Self::Put { path, .. } | Self::Remove { path, .. }) = self;
        path
    }

    /// Done already, it does nothing; false if something is in the way that was not there before.
    fn carry_out(
        &self,
        root: &Sysroot,
        stage: &OwnedFd,
        open: &mut OpenDirs<'_>,
    ) -> Result<bool, KeepError> {
        let path = self.path();
        let shown = root.path().join(path.strip_prefix("/").unwrap_or(path));
        let failed = |call| KeepError::io(call, &shown);
        let name = Path::new(path.file_name().unwrap_or_default());
        let parent = match open.parent_of(path) {
            Ok(parent) => parent,
            Err(Errno::ENOENT) if matches!(self, Self::Remove { .. }) => return Ok(true),
            // No directory any more: a link, which is not followed.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EMLINK) => return Ok(false),
            Err(e) => return Err(failed("open the directory of")(e)),
        };
        match self {
            Self::Put { number, replace, .. } => {
                let staged = PathBuf::from(number.to_string());
                let done = match replace {
                    true => renameat(stage, &staged, parent, name),
                    false => rename::no_replace(stage, &staged, parent, name),
                };
                match done {
                    Ok(()) => Ok(true),
                    // It was done before, or it can't be done.
                    Err(
                        Errno::ENOENT
                        | Errno::EEXIST
                        | Errno::ENOTEMPTY
                        | Errno::EISDIR
                        | Errno::ENOTDIR
                        | Errno::EXDEV
                        | Errno::EBUSY,
                    ) => Ok(Meta::at(stage, &staged) == Err(Errno::ENOENT)),
                    Err(e) => Err(failed("rename to")(e)),
                }
            }
            Self::Remove { directory, .. } => {
                let flag = match directory {
                    true => UnlinkatFlags::RemoveDir,
                    false => UnlinkatFlags::NoRemoveDir,
                };
                match unlinkat(parent, name, flag) {
                    Ok(()) | Err(Errno::ENOENT) => Ok(true),
                    Err(
                        Errno::ENOTEMPTY
                        | Errno::EEXIST
                        | Errno::ENOTDIR
                        | Errno::EISDIR
                        | Errno::EPERM
                        | Errno::EBUSY,
                    ) => Ok(false),
                    Err(e) => Err(failed("remove")(e)),
                }
            }
        }
    }
}

/// What a change makes of a manifest.
pub(super) fn changed(
    manifest: Manifest,
    put: Vec<Entry>,
    removed: &[PathBuf],
    recipe: super::Recipe,
) -> Manifest {
    let mut entries: BTreeMap<_, _> = manifest.by_path();
    removed.iter().for_each(|path| drop(entries.remove(path)));
    entries.extend(put.into_iter().map(|entry| (entry.path.clone(), entry)));
    Manifest::new(recipe, entries)
}
