//! The locks whose holders have died.

use std::os::fd::AsFd;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use super::lock::lock_name;
use super::{Lock, StateDir, StateError};

/// The stale locks of a state directory, each one taken when it is asked for. See [`StateDir::stale`].
#[derive(Debug)]
pub struct Stale<'a> {
    state: &'a StateDir,
    names: std::vec::IntoIter<String>,
}

impl StateDir {
    /// The locks that nobody holds any more, each of them held from then on, so that the caller can clean up what it
    /// stood for and then [release](Lock::release) it. One that is dropped instead is found again next time.
    ///
    /// Any number of processes may do this at once: each stale lock is given to one of them at a time.
    ///
    /// # Errors
    /// [`StateError::Io`] if the directory can't be read; the iterator's items, if a lock can't be opened.
    ///
    /// # References
    /// flock(2), readdir(3)
    ///
    /// ```
    /// # let scratch = tempfile::tempdir()?;
    /// # let state = isol_sys::state::StateDir::open_at(&scratch.path().join("state"))?;
    /// state.try_lock("job")?.expect("nobody has it").abandon();
    /// for lock in state.stale()? {
    ///     let lock = lock?;
    ///     assert_eq!(lock.name(), "job");
    ///     lock.release()?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stale(&self) -> Result<Stale<'_>, StateError> {
        self.stale_among(&self.entries()?)
    }

    /// The same, for who has read the directory's [`entries`](Self::entries) already.
    ///
    /// # Errors
    /// As [`stale`](Self::stale).
    pub fn stale_among(&self, entries: &[String]) -> Result<Stale<'_>, StateError> {
        entries.iter().try_for_each(|name| self.sweep_unmade(name))?;
        let names: Vec<_> =
            entries.iter().filter_map(|name| lock_name(name).map(str::to_owned)).collect();
        Ok(Stale { state: self, names: names.into_iter() })
    }

    /// The names in the directory that are text; isol makes no others.
    ///
    /// # Errors
    /// [`StateError::Io`] if the directory can't be read.
    pub fn entries(&self) -> Result<Vec<String>, StateError> {
        // Opened anew: a duplicate of the descriptor would share its position with other threads and children.
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut dir = Dir::openat(self.as_fd(), ".", flags, Mode::empty())
            .map_err(|e| self.io("open", "", e))?;
        let mut names = Vec::new();
        for entry in dir.iter() {
            let entry = entry.map_err(|e| self.io("readdir", "", e))?;
            if let Ok(name) = entry.file_name().to_str()
                && !matches!(name, "." | "..")
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// Whether a lock of this name has a file, held or stale.
    ///
    /// # Errors
    /// [`StateError::Io`] if the directory can't be searched.
    pub fn has_lock(&self, name: &str) -> Result<bool, StateError> {
        let file = format!("{name}.lock");
        match crate::meta::Meta::at(self, file.as_str()) {
            Ok(_) => Ok(true),
            Err(Errno::ENOENT) => Ok(false),
            Err(e) => Err(self.io("fstatat", &file, e)),
        }
    }
}

impl Iterator for Stale<'_> {
    type Item = Result<Lock, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let state = self.state;
        self.names.by_ref().find_map(|name| state.try_stale(name).transpose())
    }
}
