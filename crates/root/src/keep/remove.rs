//! Taking something out of what a tree is to hold.

use std::path::{Path, PathBuf};

use isol_sys::quote::shown;

use super::update::{Updated, bring};
use super::{KeepError, Recipe};

/// Takes paths, which are gone from the host maybe, out of what the tree `dir` was asked to hold, and then
/// [updates](super::update::update) it: what nothing else needs goes, and what has been changed in the tree stays.
///
/// # Errors
/// [`KeepError`] names what stands in the way, such as a path that was not asked for by itself; nothing has been changed
/// then.
///
/// # References
/// unlinkat(2)
///
/// ```no_run
/// let done = isol_root::keep::remove::remove("/srv/www".as_ref(), &["/usr/bin/gzip".into()])?;
/// println!("{} files are gone", done.removed.len());
/// # Ok::<(), isol_root::keep::KeepError>(())
/// ```
pub fn remove(dir: &Path, paths: &[PathBuf]) -> Result<Updated, KeepError> {
    bring(dir, |recipe| paths.iter().try_for_each(|path| take_out(recipe, path)))
}

fn take_out(recipe: &mut Recipe, path: &Path) -> Result<(), KeepError> {
    let lists = [&mut recipe.programs, &mut recipe.add, &mut recipe.traced];
    let before: usize = lists.iter().map(|list| list.len()).sum();
    let mut left = 0;
    for list in lists {
        list.retain(|asked| asked != path);
        left += list.len();
    }
    if left != before {
        return Ok(());
    }
    let asked = recipe.programs.iter().chain(&recipe.add).map(|path| shown(path).to_string());
    Err(KeepError::CantHonour {
        what: format!("the tree was not asked to hold {}", shown(path)),
        why: format!("it was asked to hold {}", asked.collect::<Vec<_>>().join(", ")),
        help: None,
    })
}
