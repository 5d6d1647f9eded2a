//! A place in the jail's root on which something is mounted.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use isol_core::{Errno, Problem, RootHandle};
use isol_sys::meta::Meta;
use isol_sys::{acl, below, errno, quote};

use super::{NAME, call};

/// A directory that is open, or a file by its name in one.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) at: OwnedFd,
    /// `.`, or the file's name.
    pub(super) name: PathBuf,
}

impl Place {
    /// In the mounted root, whose own is `root`. No link on the way is followed.
    pub(super) fn open(
        mounted: &OwnedFd,
        root: &RootHandle,
        target: &Path,
        is_directory: bool,
    ) -> Result<Self, Problem> {
        let unusable = |error| unusable(root, target, is_directory, errno::from_nix(error));
        let shown = target.display();
        let cant =
            |why: &str| Problem::new(NAME, format!("nothing can be mounted on {shown}"), why);
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(cant("it is the root itself"));
        };
        let parent = below::descend(mounted, parent).map_err(unusable)?;
        let meta = Meta::at(&parent, Path::new(name)).map_err(unusable)?;
        if meta.is_symlink() {
            return Err(cant("it is a symbolic link"));
        }
        if meta.is_dir() != is_directory || !(meta.is_dir() || meta.is_file()) {
            return Err(cant("one of both is a directory, and the other is not"));
        }
        if is_directory {
            let at = below::descend(&parent, Path::new(name)).map_err(unusable)?;
            return Ok(Self { at, name: ".".into() });
        }
        if meta.nlink > 1 {
            return Err(cant("it is a file with more names than one"));
        }
        if !is_root_s(&parent)? {
            return Err(cant("somebody else than root could put a link in its place")
                .help("mount the directory that it is in"));
        }
        Ok(Self { at: parent, name: name.into() })
    }
}

/// Whether nobody but root can change what a directory's names mean.
pub(super) fn is_root_s(dir: &OwnedFd) -> Result<bool, Problem> {
    let failed = |error| call("can't look at a directory")(errno::from_nix(error));
    let meta = Meta::of(dir).map_err(failed)?;
    let listed = acl::allows_beside_the_mode(dir).map_err(failed)?;
    Ok(meta.uid == 0 && !meta.writable_by_others() && !listed)
}

fn unusable(root: &RootHandle, target: &Path, is_directory: bool, errno: Errno) -> Problem {
    let path = root.path.join(target.strip_prefix("/").unwrap_or(target));
    let problem =
        Problem::call(NAME, format!("nothing can be mounted on {}", target.display()), errno);
    if errno != errno::NO_ENTRY {
        return Problem {
            why: format!("{}, or there is a link on the way", problem.why),
            ..problem
        };
    }
    let path = quote::shell(&path);
    problem.help(if is_directory { format!("mkdir -p {path}") } else { format!("touch {path}") })
}
