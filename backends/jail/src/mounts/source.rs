//! Something of the host's that is mounted: open, so that it stays what was looked at.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use isol_core::{Problem, RootHandle};
use isol_sys::meta::Meta;
use isol_sys::nmount::{self, Forbids, Mounted};
use isol_sys::{below, errno, jail};

use super::place::is_root_s;
use super::{NAME, call, identity};

/// A directory, or a file by its name in a directory.
#[derive(Debug)]
pub(super) struct Source {
    /// The directory itself, or the one that the file is in.
    pub(super) at: OwnedFd,
    /// `.`, or the file's name.
    pub(super) name: PathBuf,
    pub(super) is_directory: bool,
    /// Its device and inode.
    pub(super) identity: (u64, u64),
    /// Where it is, links resolved.
    pub(super) path: PathBuf,
    /// The mount that it is on.
    pub(super) mounted: Mounted,
}

impl Source {
    /// The root.
    pub(super) fn root(root: &RootHandle) -> Result<Self, Problem> {
        let at = root.fd.try_clone().map_err(super::io("can't duplicate a descriptor"))?;
        Self::directory(at, root.path.clone())
    }

    /// What a path of the host's leads to that has no link in it.
    pub(super) fn host_s(path: &Path) -> Result<Self, Problem> {
        let looking = || format!("can't look at {}, which is to be mounted", path.display());
        let failed = |error| call(looking())(errno::from_nix(error));
        if let Ok(found) = below::host_s(path) {
            return Self::directory(found, path.to_owned());
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(super::io(looking())(io::ErrorKind::NotFound.into()));
        };
        let parent = below::host_s(parent).map_err(failed)?;
        Self::file(parent, Path::new(name), path)
    }

    /// What is below a directory, by a path that leads through directories only.
    pub(super) fn below(dir: impl AsFd, path: &Path, shown: &Path) -> Result<Self, Problem> {
        let looking = || format!("can't look at {}", shown.display());
        let failed = |error| call(looking())(errno::from_nix(error));
        if let Ok(found) = below::descend(&dir, path) {
            return Self::directory(found, shown.to_owned());
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(super::io(looking())(io::ErrorKind::NotFound.into()));
        };
        Self::file(below::descend(&dir, parent).map_err(failed)?, Path::new(name), shown)
    }

    fn directory(at: OwnedFd, path: PathBuf) -> Result<Self, Problem> {
        let mounted = mounted(&at, &path)?;
        let identity = identity(&at)?;
        Ok(Self { at, name: ".".into(), is_directory: true, identity, path, mounted })
    }

    /// Only where nobody but root could put something else in its place: a file can't be mounted by its descriptor.
    fn file(at: OwnedFd, name: &Path, path: &Path) -> Result<Self, Problem> {
        let shown = path.display();
        let meta = Meta::at(&at, name)
            .map_err(|error| call(format!("can't look at {shown}"))(errno::from_nix(error)))?;
        let cant = |why: &str| Problem::new(NAME, format!("{shown} can't be mounted"), why);
        if !meta.is_file() {
            return Err(cant("it is neither a directory nor a regular file"));
        }
        if !kernel_can_mount_files() {
            return Err(cant("before FreeBSD 15 the kernel can go down when a file is mounted on")
                .help("mount the directory that it is in"));
        }
        if !is_root_s(&at)? {
            return Err(cant("somebody else than root could put another file in its place")
                .help("mount the directory that it is in"));
        }
        let mounted = mounted(&at, path)?;
        let identity = (meta.dev, meta.ino);
        Ok(Self {
            at,
            name: name.to_owned(),
            is_directory: false,
            identity,
            path: path.to_owned(),
            mounted,
        })
    }

    /// What a mount of it forbids: set-id bits, what its own does, and writing, if that is asked for.
    pub(super) fn forbids(&self, write: bool) -> Forbids {
        let own = self.mounted.forbids;
        Forbids { write: write || own.write, exec: own.exec, set_id: true }
    }
}

/// In 13.2 the one place that makes a path of a file's name frees what it has not allocated: a panic. 15.1 is seen to
/// work; of what lies between nothing is known.
fn kernel_can_mount_files() -> bool {
    jail::control(c"kern.osreldate").is_some_and(|version| version >= 1_500_000)
}

fn mounted(file: &OwnedFd, path: &Path) -> Result<Mounted, Problem> {
    nmount::of(file).map_err(call(format!("can't tell what {} is on", path.display())))
}
