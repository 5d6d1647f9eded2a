//! The set-uid programs that write the maps of user namespaces for ordinary users.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use isol_core::IdRange;
use nix::errno::Errno;

use crate::meta::Meta;
use crate::process::Pid;
use crate::rootdir;

/// Where they are, by absolute path: whoever calls may have any `PATH`.
const PLACES: [&str; 2] = ["/usr/bin", "/usr/local/bin"];
const UIDS: &str = "newuidmap";
const GIDS: &str = "newgidmap";
/// How much of what one of them says is told.
const SAID: usize = 300;

/// Both of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helpers {
    uids: Helper,
    gids: Helper,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper {
    path: PathBuf,
}

/// Why there is none to be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelperError {
    /// It is not installed.
    #[error("{name}(1) is not installed")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// Somebody else than root could have put it there, or could change it.
    #[error("{path} is not used: {why}")]
    Unsafe {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// Why there is no map.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// A system call failed.
    #[error(transparent)]
    System(#[from] io::Error),
    /// A program can't be run.
    #[error("{program} can't be run: {source}")]
    NotRun {
        /// Which.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program refused.
    #[error("{program} refuses: {said}")]
    Refused {
        /// Which.
        program: PathBuf,
        /// What it says.
        said: String,
    },
    /// A program was content, and the map is another.
    #[error("{program} has written another map than it was asked for: {found}")]
    Other {
        /// Which.
        program: PathBuf,
        /// The map that there is.
        found: String,
    },
}

impl Helpers {
    /// Looks for them where a distribution puts them. Each of them, and every directory above, has to be root's and nobody
    /// else's to write.
    ///
    /// # Errors
    /// One of them is missing, or is not to be trusted.
    ///
    /// # References
    /// newuidmap(1), newgidmap(1)
    pub fn find() -> Result<Self, HelperError> {
        Ok(Self { uids: Helper::find(UIDS, &PLACES)?, gids: Helper::find(GIDS, &PLACES)? })
    }

    pub(crate) fn uids(&self) -> &Helper {
        &self.uids
    }

    pub(crate) fn gids(&self) -> &Helper {
        &self.gids
    }
}

impl Helper {
    fn find(name: &'static str, places: &[&str]) -> Result<Self, HelperError> {
        for place in places {
            let path = Path::new(place).join(name);
            if path.symlink_metadata().is_err() {
                continue;
            }
            let wrong = |why: String| HelperError::Unsafe { path: path.clone(), why };
            let dir = rootdir::open(Path::new(place)).map_err(|error| wrong(error.to_string()))?;
            let meta = match Meta::at(&dir, name) {
                Err(Errno::ENOENT) => continue,
                found => found.map_err(|errno| wrong(errno.to_string()))?,
            };
            if !meta.is_file() {
                return Err(wrong("it is no regular file".into()));
            }
            if meta.uid != 0 || meta.writable_by_others() {
                let (owner, mode) = (meta.uid, meta.permissions());
                let why = format!("its owner is uid {owner} and its mode {mode:04o}");
                return Err(wrong(why));
            }
            return Ok(Self { path });
        }
        Err(HelperError::Missing { name })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Has it write the map of the namespace that a process is in, and waits until it has.
    pub(crate) fn write(&self, of: Pid, ranges: &[IdRange]) -> Result<(), MapError> {
        let numbers = ranges.iter().flat_map(|range| [range.inside, range.outside, range.count]);
        let ended = Command::new(&self.path)
            .arg(of.to_string())
            .args(numbers.map(|number| number.to_string()))
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .output()
            .map_err(|source| MapError::NotRun { program: self.path.clone(), source })?;
        if ended.status.success() {
            return Ok(());
        }
        let said = match said(&ended.stderr) {
            said if said.is_empty() => ended.status.to_string(),
            said => said,
        };
        Err(MapError::Refused { program: self.path.clone(), said })
    }
}

/// The first line of what it said, without its name, as something that can be shown.
fn said(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let behind = |name| line.strip_prefix(name)?.strip_prefix(':');
    let line = behind(UIDS).or_else(|| behind(GIDS)).unwrap_or(line);
    let short: String = line.trim().chars().take(SAID).collect();
    crate::quote::shown(&short).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_is_one_line_that_can_be_shown() {
        assert_eq!(said(b"\nnewuidmap: uid range not allowed\nmore"), "uid range not allowed");
        assert_eq!(said(b"newgidmap: \x1b[31mred"), r"\033[31mred");
        assert_eq!(said(b"killed"), "killed");
        assert_eq!(said(b""), "");
        assert_eq!(said(&[b'x'; 1000]).len(), SAID);
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn one_that_is_nowhere_is_missing_and_one_in_another_s_directory_is_unsafe() {
        let missing = Helper::find("no-such-map", &PLACES);
        assert_eq!(missing, Err(HelperError::Missing { name: "no-such-map" }));
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(UIDS), "").unwrap();
        let found = Helper::find(UIDS, &[dir.path().to_str().unwrap()]);
        assert!(matches!(found, Err(HelperError::Unsafe { .. })), "{found:?}");
    }
}
