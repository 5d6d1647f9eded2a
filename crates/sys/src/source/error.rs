//! Why something of the host's can't be opened to be seen elsewhere.

use std::fmt;
use std::path::PathBuf;

use nix::errno::Errno;

use crate::quote::shown;
use crate::rootdir::Flaw;

/// Why [`open`](super::open) refuses a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// The path does not begin with `/`.
    Relative {
        /// The path.
        path: PathBuf,
    },
    /// A symbolic link that somebody could have laid whose word does not count.
    Link {
        /// The link.
        link: PathBuf,
        /// What makes it his: the link itself, or a directory on the way to it.
        component: PathBuf,
        /// How so.
        what: Flaw,
        /// Whose that is.
        uid: u32,
        /// Its permission bits.
        mode: u32,
    },
    /// Too many symbolic links.
    Loop {
        /// The path.
        path: PathBuf,
    },
    /// A component that can't be opened.
    Open {
        /// The path up to the component.
        component: PathBuf,
        /// Why not.
        source: Errno,
    },
}

impl SourceError {
    /// The errno behind it, where there is one.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Open { source, .. } => Some(*source),
            _ => None,
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative { path } => write!(f, "{} is not an absolute path", shown(path)),
            Self::Link { link, component, uid, .. } if link == component => {
                write!(f, "{} is a symbolic link of uid {uid}'s", shown(link))
            }
            Self::Link { link, component, what, uid, mode } => write!(
                f,
                "{} is a symbolic link, and {} {what} (owner {uid}, mode {mode:04o})",
                shown(link),
                shown(component)
            ),
            Self::Loop { path } => write!(f, "{} has too many symbolic links", shown(path)),
            Self::Open { component, source: Errno::ENOENT } => {
                write!(f, "{} does not exist", shown(component))
            }
            Self::Open { component, source } => {
                write!(f, "{}: {}", shown(component), source.desc())
            }
        }
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open { source, .. } => Some(source),
            _ => None,
        }
    }
}
