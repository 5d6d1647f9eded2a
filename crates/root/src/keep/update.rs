//! Bringing a tree up to date with the host that it was copied from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::add::{There, there};
use super::contents::{Contents, Item, What};
use super::journal::{self, Change, STAGE};
use super::make::{digest, hexadecimal};
use super::place::Place;
use super::real_paths::RealPaths;
use super::verify::is_as_noted;
use super::{Entry, EntryType, KeepError, Recipe};
use crate::throwaway::open_source;
use crate::walk::Sysroot;

/// What has become of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Updated {
    /// What is new.
    pub added: Vec<PathBuf>,
    /// What the host has in another version.
    pub changed: Vec<PathBuf>,
    /// What nothing needs any more.
    pub removed: Vec<PathBuf>,
    /// What should have been changed or removed, but has been changed in the tree, and was left alone.
    pub kept: Vec<PathBuf>,
    /// What the user may want to know, though it stopped nothing.
    pub notes: Vec<String>,
}

/// Works the tree's recipe out anew, and brings the tree `dir` to what comes out: what the host has in another version is
/// replaced, what is new is added, and what nothing needs any more goes. What has been changed in the tree stays.
///
/// Each file is replaced by rename(2), one after the other: a program that is started meanwhile may find some of them old
/// and some new. What runs already keeps what it has loaded.
///
/// # Errors
/// [`KeepError`] names what stands in the way; nothing has been changed then.
///
/// # References
/// renameat(2), syncfs(2)
///
/// ```no_run
/// let updated = isol_root::keep::update::update("/srv/www".as_ref())?;
/// println!("{} files are of another version now", updated.changed.len());
/// # Ok::<(), isol_root::keep::KeepError>(())
/// ```
pub fn update(dir: &Path) -> Result<Updated, KeepError> {
    bring(dir, |_| Ok(()))
}

/// Brings the tree to what its recipe says when `change` is done with it.
pub(super) fn bring(
    dir: &Path,
    change: impl FnOnce(&mut Recipe) -> Result<(), KeepError>,
) -> Result<Updated, KeepError> {
    let place = Place::of(dir)?;
    let root = place.open()?;
    let lock = place.lock()?;
    journal::recover(&place)?;
    let manifest = place.manifest_needed()?;
    let host = Sysroot::open(Path::new("/"))?;
    let mut recipe = manifest.recipe.clone();
    change(&mut recipe)?;
    check_host(&host, &recipe, &root)?;
    let contents = Contents::of(&host, &recipe)?;
    let known = manifest.by_path();
    let mut change = Change::new(&place, &root, &host)?;
    let mut updated = Updated { notes: super::build::notes(&contents), ..Updated::default() };
    let (mut put, mut wanted) = (Vec::new(), BTreeSet::new());
    let mut real = RealPaths::new(&root);
    for (path, item) in &contents.items {
        let at = real.of(path)?;
        wanted.insert(at.path.clone());
        match known.get(&at.path) {
            None => match there(&root, &host, &at.path, path, item)? {
                There::Nothing => {
                    put.push(change.put(at.for_putting(&root)?, item, false)?);
                    updated.added.push(at.path);
                }
                // It came by other ways, and is not the manifest's.
                There::Same => {}
                There::Another => updated.kept.push(at.path),
            },
            Some(entry) if is_up_to_date(&host, entry, item)? => {}
            Some(entry) if is_replaceable(&root, entry, item)? => {
                put.push(change.put(at.for_putting(&root)?, item, true)?);
                updated.changed.push(at.path);
            }
            Some(_) => updated.kept.push(at.path),
        }
    }
    let gone = no_longer_wanted(&root, &known, &wanted, &mut updated.kept)?;
    for entry in &gone {
        change.remove(&entry.path, entry.kind == EntryType::Directory)?;
        updated.removed.push(entry.path.clone());
    }
    if change.is_empty() && recipe == manifest.recipe {
        drop(change);
        journal::recover(&place)?;
    } else {
        let manifest = journal::changed(manifest, put, &updated.removed, recipe);
        change.carry_out(Some(manifest))?;
    }
    lock.release()?;
    Ok(updated)
}

/// What the tree was asked to hold is on the host, or all that is not is named.
fn check_host(host: &Sysroot, recipe: &Recipe, root: &Sysroot) -> Result<(), KeepError> {
    let is_gone = |path: &&PathBuf| host.walk(path).is_err_and(|error| error.is_missing());
    let asked = recipe.programs.iter().chain(&recipe.add);
    let gone: BTreeSet<_> = asked.filter(is_gone).cloned().collect();
    if gone.is_empty() {
        return Ok(());
    }
    Err(KeepError::Gone { root: root.path().to_owned(), paths: gone.into_iter().collect() })
}

/// Whether the manifest's entry is what would be made now.
fn is_up_to_date(host: &Sysroot, entry: &Entry, item: &Item) -> Result<bool, KeepError> {
    Ok(match &item.what {
        What::Directory { mode, uid, gid } => {
            entry.kind == EntryType::Directory
                && (entry.mode, entry.uid, entry.gid) == (Some(*mode), *uid, *gid)
        }
        What::Symlink { target } => entry.target.as_ref() == Some(target),
        What::Device(device) => entry.device.is_some() && entry.device == device.number(),
        What::Text { text } => {
            entry.from.is_none() && is_content(entry, text.as_slice(), &entry.path)?
        }
        What::File { from, meta, mode, capabilities } => {
            let mut same = entry.mode == Some(*mode) && entry.from.as_ref() == Some(from);
            same = same && entry.size == Some(meta.size);
            if same {
                let source = open_source(host, from, meta)?;
                let value = match capabilities {
                    true => isol_sys::xattr::file_capabilities(&source)
                        .map_err(KeepError::io("fgetxattr", from))?,
                    false => None,
                };
                same = entry.capabilities == value.map(|value| hexadecimal(&value))
                    && is_content(entry, source, from)?;
            }
            same
        }
    })
}

fn is_content(entry: &Entry, text: impl std::io::Read, from: &Path) -> Result<bool, KeepError> {
    let (size, sum) = digest(text).map_err(KeepError::std("read", from))?;
    Ok(entry.size == Some(size) && entry.sha256.as_ref() == Some(&sum))
}

/// A directory can't be replaced, and nothing that is not what the manifest says.
fn is_replaceable(root: &Sysroot, entry: &Entry, item: &Item) -> Result<bool, KeepError> {
    let directory =
        entry.kind == EntryType::Directory || matches!(item.what, What::Directory { .. });
    Ok(!directory && is_as_noted(root, entry)?)
}

/// What the manifest has and the recipe no longer asks for, what is in a directory before the directory.
fn no_longer_wanted(
    root: &Sysroot,
    known: &BTreeMap<PathBuf, Entry>,
    wanted: &BTreeSet<PathBuf>,
    kept: &mut Vec<PathBuf>,
) -> Result<Vec<Entry>, KeepError> {
    let mut gone: Vec<Entry> = Vec::new();
    for (path, entry) in known.iter().rev().filter(|(path, _)| !wanted.contains(*path)) {
        let removable = match entry.kind {
            EntryType::Directory => {
                is_as_noted(root, entry)? && is_empty_without(root, path, &gone)?
            }
            _ => is_as_noted(root, entry)?,
        };
        match removable {
            true => gone.push(entry.clone()),
            false => kept.push(path.clone()),
        }
    }
    Ok(gone)
}

fn is_empty_without(root: &Sysroot, dir: &Path, gone: &[Entry]) -> Result<bool, KeepError> {
    use std::os::unix::ffi::OsStrExt;
    let failed = KeepError::io("read", &root.path().join(dir.strip_prefix("/").unwrap_or(dir)));
    let trail = root.walk(dir)?;
    let Some(held) = trail.dir() else { return Ok(false) };
    let flags = nix::fcntl::OFlag::O_RDONLY | nix::fcntl::OFlag::O_CLOEXEC;
    let mode = nix::sys::stat::Mode::empty();
    let mut listed = nix::dir::Dir::openat(held, ".", flags, mode).map_err(&failed)?;
    for name in listed.iter() {
        let name = name.map_err(&failed)?.file_name().to_owned();
        let name = std::ffi::OsStr::from_bytes(name.as_bytes());
        let path = dir.join(name);
        let going = name == "." || name == ".." || name == STAGE;
        if !going && !gone.iter().any(|entry| entry.path == path) {
            return Ok(false);
        }
    }
    Ok(true)
}
