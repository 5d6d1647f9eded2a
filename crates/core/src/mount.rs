//! What of the host's, or new, is mounted in the root.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use crate::Amount;

/// A file or directory of the host's that is mounted in the root: `SRC[:DST][:ro]`.
///
/// ```
/// let bind: isol_core::Bind = "/srv/data:/data:ro".parse().unwrap();
/// assert!(bind.read_only);
/// assert_eq!(bind.to_string(), "/srv/data:/data:ro");
/// assert_eq!("/etc/hosts".parse::<isol_core::Bind>().unwrap().target.to_str(), Some("/etc/hosts"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// Where it is, on the host.
    pub source: PathBuf,
    /// Where it is mounted, inside.
    pub target: PathBuf,
    /// Whether it can't be written to inside.
    pub read_only: bool,
}

/// A new, empty file system in memory: `DIR[:SIZE]`.
///
/// ```
/// let tmpfs: isol_core::Tmpfs = "/var/cache:64M".parse().unwrap();
/// assert_eq!(tmpfs.size, Some(64 << 20));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tmpfs {
    /// Where it is mounted, inside.
    pub target: PathBuf,
    /// How many bytes it takes at most; without it, a tenth of the memory.
    pub size: Option<u64>,
}

/// A text that is no mount, or one that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// Not of the form.
    #[error("`{0}` is not of the form SRC[:DST][:ro], with absolute paths")]
    Bind(String),
    /// Not of the form.
    #[error(
        "`{0}` is not of the form DIR[:SIZE], with an absolute path and bytes, or K, M or G behind them"
    )]
    Tmpfs(String),
    /// A place that is no place in the root.
    #[error("nothing can be mounted on {}: name an absolute path in the root, without `..`", .0.display())]
    Target(PathBuf),
}

impl FromStr for Bind {
    type Err = MountError;

    fn from_str(text: &str) -> Result<Self, MountError> {
        let mut parts: Vec<_> = text.split(':').collect();
        let read_only = parts.len() > 1 && parts.last() == Some(&"ro");
        if read_only {
            parts.pop();
        }
        let (source, target) = match parts[..] {
            [both] => (both, both),
            [source, target] => (source, target),
            _ => return Err(MountError::Bind(text.to_owned())),
        };
        if !source.starts_with('/') || !target.starts_with('/') {
            return Err(MountError::Bind(text.to_owned()));
        }
        Ok(Self { source: source.into(), target: target.into(), read_only })
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source.display(), self.target.display())?;
        if self.read_only { f.write_str(":ro") } else { Ok(()) }
    }
}

impl FromStr for Tmpfs {
    type Err = MountError;

    fn from_str(text: &str) -> Result<Self, MountError> {
        let wrong = || MountError::Tmpfs(text.to_owned());
        let (target, size) = match text.split_once(':') {
            None => (text, None),
            Some((target, size)) => match size.parse() {
                Ok(Amount::AtMost(bytes)) if bytes > 0 => (target, Some(bytes)),
                _ => return Err(wrong()),
            },
        };
        if target.starts_with('/') {
            Ok(Self { target: target.into(), size })
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for Tmpfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.target.display())?;
        match self.size {
            Some(size) => write!(f, ":{size}"),
            None => Ok(()),
        }
    }
}

/// Whether something can be mounted there: below the root, by a path that stays there.
pub(crate) fn check_target(target: &Path) -> Result<(), MountError> {
    let names = || target.components().filter(|c| matches!(c, Component::Normal(_)));
    let up = target.components().any(|c| c == Component::ParentDir);
    if target.is_absolute() && !up && names().count() > 0 {
        Ok(())
    } else {
        Err(MountError::Target(target.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mount_is_refused() {
        for wrong in ["", "a", "/a:b", "a:/b", "/a:/b:/c", "/a:/b:rw", "ro"] {
            assert!(wrong.parse::<Bind>().is_err(), "{wrong}");
        }
        for wrong in ["", "tmp", "/tmp:", "/tmp:x", "/tmp:0", "/tmp:unlimited"] {
            assert!(wrong.parse::<Tmpfs>().is_err(), "{wrong}");
        }
        assert!("/a:ro".parse::<Bind>().unwrap().read_only);
    }

    #[test]
    fn targets_are_below_the_root() {
        for wrong in ["/", "//", "/.", "/a/../b", "/..", "a"] {
            assert!(check_target(Path::new(wrong)).is_err(), "{wrong}");
        }
        assert!(check_target(Path::new("/a/b")).is_ok());
    }
}
