//! What is to be mounted in a root, for the looks into it: the program may be in it, or behind it.

use std::os::fd::OwnedFd;

use isol_core::{Command, MountHandle, PrepareError, RootHandle, SourceHandle, step_names};
use isol_root::Resolver;
use isol_root::walk::{Content, Mounted};

use super::program::{find, sysroot};

const NAME: &str = step_names::PROGRAM;

/// What is to be mounted, as the walk over the tree takes it.
pub(crate) fn contents(mounts: &[MountHandle]) -> Result<Vec<Mounted>, PrepareError> {
    let duplicate = |fd: &OwnedFd| {
        fd.try_clone().map_err(|e| PrepareError::system(NAME, "can't duplicate a descriptor", e))
    };
    let content = |mount: &MountHandle| {
        Ok::<_, PrepareError>(match &mount.source {
            None => Content::Empty,
            Some(SourceHandle::Directory { path, fd, .. }) => {
                Content::Directory { path: path.clone(), fd: duplicate(fd)? }
            }
            Some(SourceHandle::File { path, parent, name, .. }) => {
                Content::File { path: path.clone(), parent: duplicate(parent)?, name: name.clone() }
            }
        })
    };
    mounts
        .iter()
        .map(|mount| Ok(Mounted { target: mount.target.clone(), what: content(mount)? }))
        .collect()
}

/// The mounts that hide a program that would start without them.
pub(crate) fn hiding(
    command: &Command,
    root: &RootHandle,
    mounts: &[MountHandle],
) -> Option<String> {
    if mounts.is_empty() {
        return None;
    }
    let tree = sysroot(root).ok()?;
    let path = find(command, &tree).ok()?;
    Resolver::new(&tree).closure(&path, &[]).ok()?;
    let asked: Vec<_> = mounts.iter().map(|mount| mount.asked.as_str()).collect();
    Some(asked.join(", "))
}
