//! Putting more into a tree that is there: all of it, or nothing.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::contents::{Contents, Item, What};
use super::journal::{self, Change};
use super::place::Place;
use super::real_paths::RealPaths;
use super::{Entry, KeepError, Recipe};
use crate::closure::Why;
use crate::throwaway::open_source;
use crate::walk::{Kind, Sysroot, Trail};

/// What was added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Added {
    /// What is new, as seen from inside.
    pub added: Vec<PathBuf>,
    /// What the user may want to know, though it stopped nothing.
    pub notes: Vec<String>,
}

/// Puts host paths into the tree `dir`, each at its own path: programs and scripts with all that they load, other files
/// as they are, directories with everything below, and what the programs and shared objects among them need.
///
/// What is there already and is the same is left; what differs is an error. A manifest is brought up to date; a
/// directory that was not [built](super::build::build) has none, and gets none.
///
/// # Errors
/// [`KeepError`] names what stands in the way; nothing has been added then.
///
/// # References
/// renameat2(2), syncfs(2)
///
/// ```no_run
/// isol_root::keep::add::add("/srv/www".as_ref(), &["/usr/bin/id".into()])?;
/// # Ok::<(), isol_root::keep::KeepError>(())
/// ```
pub fn add(dir: &Path, paths: &[PathBuf]) -> Result<Added, KeepError> {
    let place = Place::of(dir)?;
    // Before anything is asked of the host: a root that is not safe gets nothing.
    let root = place.open()?;
    let lock = place.lock()?;
    journal::recover(&place)?;
    let host = Sysroot::open(Path::new("/"))?;
    let manifest = place.manifest()?;
    let wanted = Recipe { add: paths.to_vec(), ..Recipe::default() };
    let mut contents = Contents::of(&host, &wanted)?;
    if let Some(manifest) = &manifest {
        contents.check_against(&manifest.entries)?;
    }
    let recipe = manifest.as_ref().map(|manifest| {
        let mut recipe = manifest.recipe.clone();
        recipe.add.extend(paths.iter().filter(|path| !manifest.recipe.add.contains(path)).cloned());
        recipe
    });
    if let (Some(manifest), Some(recipe)) = (&manifest, &recipe) {
        configurations(&host, recipe, &manifest.entries, &mut contents)?;
    }
    let known = manifest.as_ref().map(|manifest| manifest.by_path()).unwrap_or_default();
    let mut change = Change::new(&place, &root, &host)?;
    let mut put = Vec::new();
    let mut real = RealPaths::new(&root);
    for (path, item) in &contents.items {
        let made_up =
            |entry: &Entry| entry.from.is_none() && matches!(item.what, What::Text { .. });
        let at = real.of(path)?;
        match there(&root, &host, &at.path, path, item)? {
            There::Nothing => put.push(change.put(at.for_putting(&root)?, item, false)?),
            There::Same => {}
            // The loaders' configuration leads to what is there, and has to lead to what is new, too.
            There::Another if known.get(&at.path).is_some_and(made_up) => {
                put.push(change.put(at.for_putting(&root)?, item, true)?);
            }
            There::Another => {
                let below = at.path.strip_prefix("/").unwrap_or(&at.path);
                return Err(KeepError::Another { path: root.path().join(below) });
            }
        }
    }
    let added: Vec<_> = put.iter().map(|entry| entry.path.clone()).collect();
    let changed = match (manifest, recipe) {
        (Some(manifest), Some(recipe)) => {
            let same = manifest.recipe == recipe && put.is_empty();
            (!same).then(|| journal::changed(manifest, put, &[], recipe))
        }
        _ => None,
    };
    if !change.is_empty() || changed.is_some() {
        change.carry_out(changed)?;
    } else {
        drop(change);
        journal::recover(&place)?;
    }
    lock.release()?;
    Ok(Added { added, notes: super::build::notes(&contents) })
}

/// Where a loader has a configuration that was made for the tree, it is made anew for everything in it.
fn configurations(
    host: &Sysroot,
    recipe: &Recipe,
    known: &[Entry],
    contents: &mut Contents,
) -> Result<(), KeepError> {
    let made_up = |item: &Item| item.why == Why::Program && matches!(item.what, What::Text { .. });
    let has_one =
        |entry: &Entry| entry.why == Why::Program && entry.sha256.is_some() && entry.from.is_none();
    if !contents.items.values().any(made_up) && !known.iter().any(has_one) {
        return Ok(());
    }
    let all = Contents::of(host, recipe)?;
    for (path, item) in all.items {
        if made_up(&item) {
            contents.put(&path, item.what.clone(), item.why)?;
            contents.items.insert(path, item);
        }
    }
    Ok(())
}

pub(super) enum There {
    Nothing,
    Same,
    Another,
}

/// What is at `at` in the tree, compared with what is to be there.
pub(super) fn there(
    root: &Sysroot,
    host: &Sysroot,
    at: &Path,
    path: &Path,
    item: &Item,
) -> Result<There, KeepError> {
    let found = match root.walk(at) {
        Ok(trail) => trail,
        // A link that leads nowhere yet is there all the same.
        Err(e) if e.is_missing() => {
            let is_link = root.walk(at.parent().unwrap_or(at)).is_ok_and(|trail| {
                let name = Path::new(at.file_name().unwrap_or_default());
                trail.dir().is_some_and(|dir| isol_sys::meta::Meta::at(dir, name).is_ok())
            });
            return Ok(if is_link { There::Same } else { There::Nothing });
        }
        Err(e) => return Err(e.into()),
    };
    let same = match &item.what {
        What::Directory { .. } => found.last().kind == Kind::Directory,
        // Where the root has something else in a link's place, that counts.
        What::Symlink { .. } => true,
        What::File { from, meta, .. } => {
            let source = open_source(host, from, meta)?;
            is_same(&found, source).map_err(KeepError::std("read", path))?
        }
        What::Text { text } => {
            is_same(&found, text.as_slice()).map_err(KeepError::std("read", path))?
        }
        What::Device(device) => {
            found.last().meta.is_char_device() && Some(found.last().meta.rdev) == device.number()
        }
    };
    Ok(if same { There::Same } else { There::Another })
}

fn is_same(found: &Trail, mut wanted: impl Read) -> io::Result<bool> {
    if found.last().kind != Kind::File {
        return Ok(false);
    }
    let mut there = found.open_file().map_err(io::Error::other)?;
    let (mut left, mut right) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let len = read_full(&mut there, &mut left)?;
        if read_full(&mut wanted, &mut right)? != len || left[..len] != right[..len] {
            return Ok(false);
        }
        if len == 0 {
            return Ok(true);
        }
    }
}

fn read_full(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match from.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(len)
}
