//! The directory in which everything is mounted, and the lock that stands for it.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use isol_core::Problem;
use isol_sys::state::{Lock, StateDir, StateError};
use isol_sys::{jail, random, unmount};

use super::{NAME, call};

/// What such a directory and its lock are called, before a number.
pub const LOCK: &str = "mounts-";

/// A directory of this run's; taken away when it is dropped.
#[derive(Debug)]
pub(super) struct Workshop {
    path: PathBuf,
    lock: Option<Lock>,
    stages: usize,
}

impl Workshop {
    /// An empty one.
    pub(super) fn make() -> Result<Self, Problem> {
        let state = StateDir::open().map_err(|error| unusable(&error))?;
        let number = random::number().map_err(super::io("can't name a directory"))?;
        let name = format!("{LOCK}{number:016x}");
        // First the lock, and what it stands for in it; then the directory.
        let lock = state
            .try_lock(&name)
            .map_err(|error| unusable(&error))?
            .ok_or_else(|| Problem::new(NAME, "can't name a directory", "it is there"))?;
        let path = state.path().join(name);
        lock.set_payload(&path.display().to_string()).map_err(|error| unusable(&error))?;
        let made = Self { path, lock: Some(lock), stages: 0 };
        make_directory(&made.path)?;
        make_directory(&made.root())?;
        Ok(made)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the jail's root is mounted.
    pub(super) fn root(&self) -> PathBuf {
        self.path.join(ROOT)
    }

    /// A new place, to which nobody but root comes: a directory or an empty file.
    pub(super) fn stage(&mut self, is_directory: bool) -> Result<PathBuf, Problem> {
        let path = self.path.join(self.stages.to_string());
        self.stages += 1;
        match is_directory {
            true => make_directory(&path)?,
            false => fs::File::create_new(&path)
                .map(drop)
                .map_err(super::io(format!("can't make {}", path.display())))?,
        }
        Ok(path)
    }

    /// Ends what is left in the jail of the root that is mounted here.
    pub(super) fn end_jails(&self) {
        end_jails(&self.path);
    }

    /// Unmounts everything and removes the directory. What can't be taken away now is found under the lock by the next run.
    pub(super) fn take_away(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        let Some(lock) = self.lock.take() else { return };
        match clear(&self.path) {
            Ok(()) => drop(lock),
            Err(_) => lock.abandon(),
        }
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        self.finish();
    }
}

const ROOT: &str = "root";

/// How long the kernel may take to end what it was told to.
const PATIENCE: [u64; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/// Ends the jails of a workshop, and waits until their processes have gone.
pub(super) fn end_jails(workshop: &Path) {
    let root = workshop.join(ROOT);
    for pause in PATIENCE {
        match jail::rooted_at(&root) {
            Ok(none) if none.is_empty() => return,
            Ok(jails) => jails.into_iter().for_each(|jail| {
                // One that has gone meanwhile is as good.
                let _ = jail::remove(jail);
            }),
            Err(_) => {}
        }
        std::thread::sleep(Duration::from_millis(pause));
    }
}

/// Unmounts what is mounted in a workshop and removes it. Nothing is gone into: a directory on which something is still
/// mounted can't be removed, and what is mounted there must not be.
pub(super) fn clear(workshop: &Path) -> Result<(), Problem> {
    unmount::below(workshop).map_err(call("can't unmount"))?;
    let gone = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(super::io(format!("can't remove {}", workshop.display()))(error)),
    };
    let entries = match fs::read_dir(workshop) {
        Ok(entries) => entries,
        Err(error) => return gone(error),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_directory { fs::remove_dir(&path) } else { fs::remove_file(&path) };
        removed.or_else(gone)?;
    }
    fs::remove_dir(workshop).or_else(gone)
}

fn make_directory(path: &Path) -> Result<(), Problem> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().mode(0o700).create(path);
    made.map_err(super::io(format!("can't make {}", path.display())))
}

fn unusable(error: &StateError) -> Problem {
    error.problem(NAME, "can't keep track of mounts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clearing_removes_what_is_empty_and_goes_into_nothing() {
        let top = tempfile::tempdir().unwrap();
        let workshop = top.path().join("mounts-1");
        clear(&workshop).unwrap();
        fs::create_dir_all(workshop.join("root")).unwrap();
        fs::create_dir(workshop.join("0")).unwrap();
        fs::write(workshop.join("1"), "").unwrap();
        clear(&workshop).unwrap();
        assert!(!workshop.exists());
        fs::create_dir_all(workshop.join("root/of somebody's")).unwrap();
        assert!(clear(&workshop).is_err());
        assert!(workshop.join("root/of somebody's").exists());
    }
}
