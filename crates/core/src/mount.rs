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

/// A mount that a policy asks for, of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount<'a> {
    /// Something of the host's.
    Bind(&'a Bind),
    /// Something new and empty.
    Tmpfs(&'a Tmpfs),
}

impl Mount<'_> {
    /// Where it is mounted, inside; without `.` and doubled slashes.
    #[must_use]
    pub fn target(&self) -> PathBuf {
        let target = match self {
            Self::Bind(bind) => &bind.target,
            Self::Tmpfs(tmpfs) => &tmpfs.target,
        };
        target.components().collect()
    }
}

/// As on the command line.
impl fmt::Display for Mount<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(bind) => write!(f, "--bind {bind}"),
            Self::Tmpfs(tmpfs) => write!(f, "--tmpfs {tmpfs}"),
        }
    }
}

/// From the top down: one that lies in another comes behind it. In any other order one would hide another, so that the
/// order in which they were named says nothing.
pub(crate) fn top_down<'a>(binds: &'a [Bind], tmpfs: &'a [Tmpfs]) -> Vec<Mount<'a>> {
    let tmpfs = tmpfs.iter().map(Mount::Tmpfs);
    let mut all: Vec<_> = binds.iter().map(Mount::Bind).chain(tmpfs).collect();
    all.sort_by_key(|mount| mount.target().components().count());
    all
}

/// Whether two of them have one place, so that one would hide the other.
pub(crate) fn check_places(all: &[Mount<'_>]) -> Result<(), MountError> {
    for (n, one) in all.iter().enumerate() {
        if let Some(other) = all[..n].iter().find(|other| other.target() == one.target()) {
            return Err(MountError::Twice { one: other.to_string(), other: one.to_string() });
        }
    }
    Ok(())
}

/// A text that is no mount, or one that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// Not of the form.
    #[error(
        "`{0}` is not of the form SRC[:DST][:ro], with absolute paths that have no colon in them"
    )]
    Bind(String),
    /// Not of the form.
    #[error(
        "`{0}` is not of the form DIR[:SIZE], with an absolute path and more than 0 bytes, or K, M or G behind the number"
    )]
    Tmpfs(String),
    /// A place that is no place in the root.
    #[error("nothing can be mounted on {}: name an absolute path below `/`, without `..`", .0.display())]
    Target(PathBuf),
    /// Two in one place.
    #[error("{one} and {other} have one place: one would hide the other")]
    Twice {
        /// The one, as the user has written it.
        one: String,
        /// The other.
        other: String,
    },
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

    #[test]
    fn mounts_come_from_the_top_down_and_two_have_two_places() {
        let bind = |text: &str| text.parse::<Bind>().unwrap();
        let (binds, tmpfs) = ([bind("/s:/a/b/c"), bind("/s:/a")], ["/a//b/".parse().unwrap()]);
        let all = top_down(&binds, &tmpfs);
        let targets: Vec<_> = all.iter().map(Mount::target).collect();
        assert_eq!(targets, ["/a", "/a/b", "/a/b/c"].map(PathBuf::from));
        assert_eq!(check_places(&all), Ok(()));
        let same = [bind("/s:/a/./b")];
        let error = check_places(&top_down(&same, &tmpfs)).unwrap_err();
        assert!(matches!(&error, MountError::Twice { one, .. } if one == "--bind /s:/a/./b"));
    }
}
