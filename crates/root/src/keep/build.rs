//! Making a tree: it appears whole, or not at all.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use isol_sys::{rename, sync};
use nix::errno::Errno;
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::{Gid, Uid, fchown};

use super::contents::Contents;
use super::make::{OpenDirs, open_dir};
use super::place::Place;
use super::{Entry, KeepError, Manifest, Recipe, journal, make};
use crate::throwaway::remove_tree;
use crate::walk::Sysroot;

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Built {
    /// Where the manifest is.
    pub manifest: PathBuf,
    /// How many things are in the tree.
    pub entries: usize,
    /// How many bytes its files have.
    pub bytes: u64,
    /// What the user may want to know, though it stopped nothing.
    pub notes: Vec<String>,
}

/// Makes the tree `dir`, which must not be there, with what `recipe` says, and its manifest beside it.
///
/// What is copied belongs to root, is writable by nobody, and is for nobody whom it is not for on the host. It is on the
/// disk before the tree has its name.
///
/// # Errors
/// [`KeepError`]; there is no tree then.
///
/// # References
/// syncfs(2), renameat2(2), ioctl_ficlone(2), copy_file_range(2)
///
/// ```no_run
/// use isol_root::keep::{Recipe, build};
/// let mut recipe = Recipe::default();
/// recipe.programs = vec!["/usr/sbin/nginx".into()];
/// let built = build::build("/srv/www".as_ref(), recipe)?;
/// println!("{} bytes", built.bytes);
/// # Ok::<(), isol_root::keep::KeepError>(())
/// ```
pub fn build(dir: &Path, recipe: Recipe) -> Result<Built, KeepError> {
    let place = Place::of(dir)?;
    let lock = place.lock()?;
    journal::recover(&place)?;
    is_free(&place)?;
    let host = Sysroot::open(Path::new("/"))?;
    let contents = Contents::of(&host, &recipe)?;
    let new = place.new_name();
    let made = make_tree(&place, &new, &contents, &host).and_then(|entries| {
        let manifest = Manifest::new(recipe, entries);
        // First the manifest: without its tree it is nothing, and the next call writes it anew.
        place.write_manifest(&manifest)?;
        rename::no_replace(&place, Path::new(&new), &place, Path::new(&place.name)).map_err(
            |e| match e {
                Errno::EEXIST => KeepError::There { path: place.path.clone() },
                e => place.failed("rename")(e),
            },
        )?;
        place.sync().map(|()| manifest)
    });
    let manifest = match made {
        Ok(manifest) => manifest,
        Err(e) => {
            // What is left is removed by the next call; the first error is the one to tell.
            let _ = remove_tree(place.as_fd(), &place.path_of(Path::new("")), &new);
            return Err(e);
        }
    };
    lock.release()?;
    Ok(Built {
        manifest: place.path_of(&place.manifest_name()),
        entries: manifest.entries.len(),
        bytes: manifest.entries.iter().filter_map(|entry| entry.size).sum(),
        notes: notes(&contents),
    })
}

fn is_free(place: &Place) -> Result<(), KeepError> {
    match Meta::at(place, Path::new(&place.name)) {
        Ok(_) => Err(KeepError::There { path: place.path.clone() }),
        Err(Errno::ENOENT) => Ok(()),
        Err(e) => Err(place.failed("look at")(e)),
    }
}

fn make_tree(
    place: &Place,
    new: &str,
    contents: &Contents,
    host: &Sysroot,
) -> Result<BTreeMap<PathBuf, Entry>, KeepError> {
    let failed = |call| KeepError::io(call, &place.path_of(Path::new(new)));
    mkdirat(place, new, Mode::S_IRWXU).map_err(failed("make"))?;
    let root = open_dir(place, Path::new(new)).map_err(failed("open"))?;
    let mut open = OpenDirs::new(root.as_fd());
    let mut entries = BTreeMap::new();
    for (path, item) in &contents.items {
        let shown = place.path.join(path.strip_prefix("/").unwrap_or(path));
        let parent =
            open.parent_of(path).map_err(KeepError::io("open the directory of", &shown))?;
        let name = Path::new(path.file_name().unwrap_or_default());
        entries.insert(path.clone(), make::item(parent, name, &shown, path, item, host)?);
    }
    fchown(&root, Some(Uid::from_raw(0)), Some(Gid::from_raw(0))).map_err(failed("chown"))?;
    fchmod(&root, Mode::from_bits_truncate(0o755)).map_err(failed("chmod"))?;
    sync::file_system(&root).map_err(failed("sync"))?;
    Ok(entries)
}

/// What was left out.
pub(super) fn notes(contents: &Contents) -> Vec<String> {
    use isol_sys::quote::shown;
    let skipped = contents
        .skipped
        .iter()
        .map(|path| format!("{} is no file, directory or link: it was left out", shown(path)));
    let without = contents.without_set_id.iter().map(|path| {
        format!("{} has set-id bits of another than root: they were left out", shown(path))
    });
    let incomplete = contents.incomplete.iter().map(|missing| format!("{missing}"));
    let private = contents.items.iter().filter_map(|(path, item)| match &item.what {
        super::contents::What::File { mode, .. } if mode & 0o044 == 0 => {
            Some(format!("{} is for root only, as on the host", shown(path)))
        }
        _ => None,
    });
    skipped.chain(without).chain(incomplete).chain(private).collect()
}
