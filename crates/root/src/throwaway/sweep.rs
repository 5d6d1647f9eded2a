//! Taking away what killed runs have left behind.

use std::os::fd::AsFd;

use isol_sys::meta::Meta;
use isol_sys::state::{Lock, StateDir, StateError};

use super::remove::{GONE, remove_tree};
use super::{PREFIX, ThrowawayError};

/// What a sweep did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Swept {
    /// The names of the stale locks and roots that are gone.
    pub removed: Vec<String>,
    /// The stale locks that the caller wanted to keep.
    pub kept: Vec<String>,
    /// What could not be taken away, and why. It is tried again by the next sweep.
    pub failed: Vec<(String, ThrowawayError)>,
}

/// Removes the roots of runs that are dead, and asks `on_stale` about all other stale locks: it cleans up what the lock
/// stood for, and says whether the lock can go.
///
/// Any number of processes may do so at once, and while others run: a root is only ever touched by who holds its lock.
///
/// # Errors
/// [`StateError`] if the state directory can't be read. What can't be removed is in the result.
///
/// # References
/// flock(2)
///
/// ```
/// # let scratch = tempfile::tempdir()?;
/// let state = isol_sys::state::StateDir::open_at(&scratch.path().join("state"))?;
/// state.try_lock("uid-61184")?.expect("nobody has it").abandon();
/// let swept = isol_root::sweep(&state, |lock| lock.name().starts_with("uid-"))?;
/// assert_eq!(swept.removed, ["uid-61184"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sweep(
    state: &StateDir,
    mut on_stale: impl FnMut(&Lock) -> bool,
) -> Result<Swept, StateError> {
    let mut swept = Swept::default();
    let entries = state.entries()?;
    let mut stale: Vec<_> = state.stale_among(&entries)?.collect();
    // Roots last: what still runs in one belongs to another lock, and ends before its root goes.
    stale.sort_by_key(|lock| lock.as_ref().is_ok_and(|lock| lock.name().starts_with(PREFIX)));
    for lock in stale {
        let lock = match lock {
            Ok(lock) => lock,
            // Something that is no lock file stands in its place; the others matter more.
            Err(StateError::Io { path, call, source }) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                swept.failed.push((name, StateError::Io { path, call, source }.into()));
                continue;
            }
            Err(e) => return Err(e),
        };
        if lock.name().starts_with(PREFIX) {
            swept.root(state, lock);
        } else if on_stale(&lock) {
            swept.release(lock);
        } else {
            swept.kept.push(lock.name().to_owned());
            lock.abandon();
        }
    }
    // Roots without a lock: their lock file was removed by hand. A new root's lock is always there before the root is.
    for entry in entries.iter().filter(|entry| entry.starts_with(PREFIX)) {
        let name = entry.strip_suffix(GONE).unwrap_or(entry);
        if !name.ends_with(".lock")
            && !state.has_lock(name)?
            // It may have gone with its lock meanwhile.
            && Meta::at(state, entry.as_str()).is_ok()
            && let Ok(Some(lock)) = state.try_lock(name)
        {
            swept.root(state, lock);
        }
    }
    Ok(swept)
}

impl Swept {
    fn root(&mut self, state: &StateDir, lock: Lock) {
        match remove_tree(state.as_fd(), state.path(), lock.name()) {
            Ok(()) => self.release(lock),
            Err(e) => {
                self.failed.push((lock.name().to_owned(), e.into()));
                lock.abandon();
            }
        }
    }

    fn release(&mut self, lock: Lock) {
        let name = lock.name().to_owned();
        match lock.release() {
            Ok(()) => self.removed.push(name),
            Err(e) => self.failed.push((name, e.into())),
        }
    }
}
