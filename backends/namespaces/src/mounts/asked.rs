//! What the policy asks to be mounted.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use isol_core::{Fault, Mount, MountHandle, Policy, PrepareError, Problem, step_names};
use isol_sys::errno;
use isol_sys::mounts::{self, Fd, Forbids, What};

use super::doing;

const NAME: &str = step_names::MOUNTS;

/// Mounts that are asked for, and what was found out about them.
#[derive(Debug)]
pub(super) struct Asked {
    /// As the user has written them.
    words: Vec<String>,
    ready: Vec<Ready>,
}

/// All that it takes to mount one of them.
#[derive(Debug)]
struct Ready {
    what: Content,
    /// Where, inside.
    target: PathBuf,
    /// The same, below the root.
    place: CString,
    /// Whether the place is a directory.
    is: What,
}

#[derive(Debug)]
enum Content {
    /// Of the host's, by its path, which has no link in it, and by what it was when it was looked at.
    Source { path: CString, identity: (u64, u64), read_only: bool },
    /// New and empty but for the places of what is mounted in it, from the top down.
    New { size: CString, places: Vec<(CString, What)> },
}

impl Asked {
    pub(super) fn new(policy: &Policy) -> Self {
        let word = |mount| match mount {
            Mount::Bind(bind) => format!("; {bind} of the host"),
            Mount::Tmpfs(tmpfs) => format!("; an empty {tmpfs}"),
        };
        Self { words: policy.mounts_top_down().into_iter().map(word).collect(), ready: Vec::new() }
    }

    pub(super) fn explains(&self) -> String {
        self.words.concat()
    }

    pub(super) fn prepare(&mut self, mounts: &[MountHandle]) -> Result<(), PrepareError> {
        if mounts.len() != self.words.len() {
            return Err(Problem::new(NAME, "nobody has looked at what is to be mounted", "").into());
        }
        for mount in mounts {
            self.make_places(mount)?;
            self.ready.push(ready(mount)?);
        }
        Ok(())
    }

    /// In the one that it lies in, which comes before it.
    fn make_places(&mut self, mount: &MountHandle) -> Result<(), PrepareError> {
        let around = |ready: &&mut Ready| mount.target.starts_with(&ready.target);
        let Some(around) = self.ready.iter_mut().rev().find(around) else { return Ok(()) };
        let Content::New { places, .. } = &mut around.what else { return Ok(()) };
        for path in &mount.make {
            let is = if *path == mount.target { kind(mount) } else { What::Directory };
            places.push((raw(path.strip_prefix(&around.target).unwrap_or(path))?, is));
        }
        Ok(())
    }

    /// While the host's mounts are still there.
    pub(super) fn apply(&self, root: &Fd) -> Result<(), Fault> {
        self.ready.iter().try_for_each(|ready| ready.apply(root))
    }
}

impl Ready {
    fn apply(&self, root: &Fd) -> Result<(), Fault> {
        let mount = match &self.what {
            Content::Source { path, identity, read_only } => bound(path, *identity, *read_only)?,
            Content::New { size, places } => {
                let options = [(c"mode", Some(c"1777")), (c"size", Some(size.as_c_str()))];
                let forbids = Forbids { write: false, exec: true, devices: true };
                let new = mounts::new_filesystem(c"tmpfs", &options, forbids)
                    .map_err(doing("mounting an empty file system"))?;
                // Before anybody could get at it.
                places.iter().try_for_each(|(path, what)| make(&new, path, *what))?;
                new
            }
        };
        put(&mount, root, &self.place, self.is)
    }
}

/// A copy of the host's mount there, with what is mounted below.
fn bound(path: &CStr, identity: (u64, u64), read_only: bool) -> Result<Fd, Fault> {
    let found = mounts::open_without_links(path)
        .map_err(doing("opening what is to be mounted, where it was looked at"))?;
    let tree = mounts::copy_tree(found.get(), c"", true)
        .map_err(doing("open_tree of what is to be mounted"))?;
    let is = mounts::what_is(tree.get()).map_err(doing("fstat"))?;
    if (is.on, is.inode) != identity {
        return Err(Fault::state("what is to be mounted is not what was looked at"));
    }
    let forbids = Forbids { write: read_only, exec: false, devices: true };
    mounts::restrict(tree.get(), forbids, true).map_err(doing("mount_setattr"))?;
    Ok(tree)
}

/// Something to mount on.
fn make(new: &Fd, path: &CStr, what: What) -> Result<(), Fault> {
    let made = match what {
        What::Directory => mounts::make_directory(new.get(), path, 0o755),
        What::Anything => mounts::make_file(new.get(), path),
    };
    match made {
        // Another place is in it, too.
        Err(errno) if errno == errno::EXISTS => Ok(()),
        made => made.map_err(doing("making a place in an empty file system")),
    }
}

/// On something of the root's; no link is followed there.
pub(super) fn put(mount: &Fd, root: &Fd, on: &CStr, what: What) -> Result<(), Fault> {
    let place = mounts::open_below(root.get(), on, what)
        .map_err(doing("opening what is in the root to mount on"))?;
    mounts::attach(mount.get(), place.get(), c"").map_err(doing("attaching a mount"))
}

fn ready(mount: &MountHandle) -> Result<Ready, PrepareError> {
    let what = match &mount.source {
        Some(source) => {
            let (path, identity) = (raw(source.path())?, source.identity());
            Content::Source { path, identity, read_only: mount.read_only }
        }
        None => {
            let size = mount.size.map_or("10%".to_owned(), |size| size.to_string());
            Content::New { size: raw(size.as_ref())?, places: Vec::new() }
        }
    };
    let place = raw(mount.target.strip_prefix("/").unwrap_or(&mount.target))?;
    Ok(Ready { what, target: mount.target.clone(), place, is: kind(mount) })
}

fn kind(mount: &MountHandle) -> What {
    match &mount.source {
        Some(source) if !source.is_directory() => What::Anything,
        _ => What::Directory,
    }
}

fn raw(path: &Path) -> Result<CString, PrepareError> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Problem::new(NAME, "a path to mount has a NUL byte in it", "").into())
}
