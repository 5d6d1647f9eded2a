//! The place in a root at which a relay's socket stands.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use isol_core::Uid;
use nix::errno::Errno;
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::system;
use crate::meta::Meta;
use crate::quote::{shell, shown};
use crate::rootdir::{self, RootDir, RootDirError};

/// A directory of a root, checked as the root is, and a name in it.
///
/// Everything is done through the directory's descriptor: whoever is confined to the root can't lead it elsewhere.
#[derive(Debug)]
pub struct Place {
    dir: RootDir,
    name: &'static str,
}

/// Why there can be no socket at a place.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlaceError {
    /// The directory can't be trusted, or is not there.
    Directory(RootDirError),
    /// Something else has the name.
    NotASocket {
        /// It.
        path: PathBuf,
    },
    /// Somebody takes messages there already.
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// A call failed.
    Io {
        /// Which.
        call: &'static str,
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl PlaceError {
    /// The command that mends it, where there is one.
    #[must_use]
    pub fn mend(&self) -> Option<String> {
        match self {
            Self::Directory(RootDirError::Open { component, source: Errno::ENOENT }) => {
                Some(format!("mkdir -m 755 {}", shell(component)))
            }
            Self::Directory(error) => error.mend().map(str::to_owned),
            Self::NotASocket { path } => Some(format!("rm {}", shell(path))),
            Self::Taken { .. } => Some("leave --syslog out: messages are taken already".to_owned()),
            Self::Io { .. } => None,
        }
    }

    /// The errno behind it, where there is one.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Directory(error) => error.errno().map(|errno| errno as i32),
            Self::Io { source, .. } => source.raw_os_error(),
            Self::NotASocket { .. } | Self::Taken { .. } => None,
        }
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(error) => error.fmt(f),
            Self::NotASocket { path } => write!(f, "{} is no socket", shown(path)),
            Self::Taken { path } => write!(f, "somebody listens on {} already", shown(path)),
            Self::Io { call, path, source } => {
                write!(f, "{call} of {}: {}", shown(path), errno(source).desc())
            }
        }
    }
}

impl std::error::Error for PlaceError {}

fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

impl Place {
    /// Opens the directory of `inside`, a path of the root that is open as `root` and stands at `at`. `make` has
    /// missing directories made. `user` is the ordinary user whose the root is, where it is one's.
    ///
    /// # Errors
    /// The directory is not there, or somebody but root, or that user, could change what is in it.
    pub fn open(
        root: BorrowedFd<'_>,
        at: &Path,
        inside: &'static str,
        make: bool,
        user: Option<Uid>,
    ) -> Result<Self, PlaceError> {
        let (dir, name) = inside.rsplit_once('/').unwrap_or(("", inside));
        let dir =
            rootdir::below(root, at, Path::new(dir), make, user).map_err(PlaceError::Directory)?;
        Ok(Self { dir, name })
    }

    /// Device and inode number of the directory.
    #[must_use]
    pub fn directory(&self) -> (u64, u64) {
        self.dir.id()
    }

    /// Where it is, on the host.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.dir.path().join(self.name)
    }

    /// Removes a socket on which nobody listens any more.
    ///
    /// # Errors
    /// Somebody does, or it is no socket.
    ///
    /// # References
    /// connect(2), unlink(2)
    pub fn clear(&self) -> Result<(), PlaceError> {
        match Meta::at(&self.dir, self.name) {
            Ok(meta) if meta.is_socket() => {}
            Ok(_) => return Err(PlaceError::NotASocket { path: self.path() }),
            Err(Errno::ENOENT) => return Ok(()),
            Err(errno) => return Err(self.failed("fstatat", errno.into())),
        }
        match system::connect_at(self.dir.as_fd(), self.name) {
            // A listener of another type answers, too.
            Ok(()) => return Err(PlaceError::Taken { path: self.path() }),
            Err(error) => match error.raw_os_error() {
                Some(libc::EPROTOTYPE) => return Err(PlaceError::Taken { path: self.path() }),
                Some(libc::ECONNREFUSED) => {}
                _ => return Err(self.failed("connect", error)),
            },
        }
        self.remove()
    }

    /// Makes the socket, for everybody to write to.
    ///
    /// # Errors
    /// As bind(2); `EADDRINUSE` where something has the name.
    ///
    /// # References
    /// bind(2), fchmodat(2)
    pub fn bind(&self) -> Result<UnixDatagram, PlaceError> {
        let socket = system::bind_at(self.dir.as_fd(), self.name)
            .map_err(|error| self.failed("bind", error))?;
        let everybody = Mode::from_bits_truncate(0o666);
        // In a directory in which nobody else can put something else in its place.
        let done = fchmodat(&self.dir, self.name, everybody, FchmodatFlags::FollowSymlink)
            .map_err(|errno| self.failed("fchmodat", errno.into()));
        if done.is_err() {
            let _ = self.remove();
        }
        done.map(|()| socket)
    }

    /// Removes what has the name.
    ///
    /// # Errors
    /// As unlink(2); that it is gone is none.
    pub fn remove(&self) -> Result<(), PlaceError> {
        match unlinkat(&self.dir, self.name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(self.failed("unlink", errno.into())),
        }
    }

    fn failed(&self, call: &'static str, source: io::Error) -> PlaceError {
        PlaceError::Io { call, path: self.path(), source }
    }
}
