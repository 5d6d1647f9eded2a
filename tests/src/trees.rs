//! A place for trees that the command makes.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A directory for trees, root's and nobody else's to write; it goes when this value goes.
#[derive(Debug)]
pub struct Trees(PathBuf);

impl Trees {
    /// Makes `/srv/isol-trees-NAME-PID`.
    ///
    /// # Panics
    /// If it can't be made: it takes root.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let path = PathBuf::from(format!("/srv/isol-trees-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a directory");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("a mode");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a name in it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names in it.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        names(&self.0)
    }
}

impl Drop for Trees {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The names in a directory.
///
/// # Panics
/// If it can't be read.
#[must_use]
pub fn names(dir: &Path) -> BTreeSet<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("an entry").file_name().to_string_lossy().into_owned()
    };
    fs::read_dir(dir).expect("a directory").map(name).collect()
}
