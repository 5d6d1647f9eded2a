//! What the policy asks to be mounted.

use std::ffi::{CStr, CString};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use isol_core::{Bind, Errno, Fault, Policy, PrepareError, Problem, RootHandle, Tmpfs, step_names};
use isol_sys::mounts::{self, Fd, Forbids, HERE, What};
use isol_sys::{errno, quote};

use super::doing;

const NAME: &str = step_names::MOUNTS;

/// Mounts that are asked for, and what was found out about them.
#[derive(Debug)]
pub(super) struct Asked {
    binds: Vec<(Bind, Option<Source>)>,
    tmpfs: Vec<(Tmpfs, Option<New>)>,
}

/// A file or directory of the host's, by its path and by what it was when it was looked at.
#[derive(Debug)]
struct Source {
    path: CString,
    identity: (u64, u64),
    place: CString,
    what: What,
}

#[derive(Debug)]
struct New {
    place: CString,
    size: CString,
}

impl Asked {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            binds: policy.binds.iter().map(|bind| (bind.clone(), None)).collect(),
            tmpfs: policy.tmpfs.iter().map(|tmpfs| (tmpfs.clone(), None)).collect(),
        }
    }

    pub(super) fn explains(&self) -> String {
        let binds = self.binds.iter().map(|(bind, _)| format!("; {bind} of the host"));
        let tmpfs = self.tmpfs.iter().map(|(tmpfs, _)| format!("; an empty {tmpfs}"));
        binds.chain(tmpfs).collect()
    }

    /// Whether something is asked for there.
    pub(super) fn is_on(&self, place: &str) -> bool {
        let binds = self.binds.iter().map(|(bind, _)| &bind.target);
        binds
            .chain(self.tmpfs.iter().map(|(tmpfs, _)| &tmpfs.target))
            .any(|t| t == Path::new(place))
    }

    pub(super) fn prepare(&mut self, root: &RootHandle) -> Result<(), PrepareError> {
        for (tmpfs, ready) in &mut self.tmpfs {
            let size = tmpfs.size.map_or("10%".to_owned(), |size| size.to_string());
            let place = place(root, &tmpfs.target, What::Directory)?;
            *ready = Some(New { place, size: raw(&size)? });
        }
        for (bind, ready) in &mut self.binds {
            let meta = std::fs::metadata(&bind.source).map_err(|error| {
                let what =
                    format!("can't look at {}, which is to be mounted", bind.source.display());
                Problem::io(NAME, what, &error)
            })?;
            let what = if meta.is_dir() { What::Directory } else { What::Anything };
            let place = place(root, &bind.target, what)?;
            let identity = (meta.dev(), meta.ino());
            *ready = Some(Source { path: raw(&bind.source)?, identity, place, what });
        }
        Ok(())
    }

    /// While the host's mounts are still there.
    pub(super) fn apply(&self, root: &Fd) -> Result<(), Fault> {
        for (_, new) in &self.tmpfs {
            let new = new.as_ref().ok_or(Fault::state("not prepared"))?;
            let options = [(c"mode", Some(c"1777")), (c"size", Some(new.size.as_c_str()))];
            let forbids = Forbids { write: false, exec: true, devices: true };
            let made = mounts::new_filesystem(c"tmpfs", &options, forbids)
                .map_err(doing("mounting an empty file system"))?;
            put(&made, root, &new.place, What::Directory)?;
        }
        for (bind, source) in &self.binds {
            let source = source.as_ref().ok_or(Fault::state("not prepared"))?;
            let tree = mounts::copy_tree(HERE, &source.path, true)
                .map_err(doing("open_tree of what is to be mounted"))?;
            let is = mounts::what_is(tree.get()).map_err(doing("fstat"))?;
            if (is.on, is.inode) != source.identity {
                return Err(Fault::state("what is to be mounted is not what was looked at"));
            }
            let forbids = Forbids { write: bind.read_only, exec: false, devices: true };
            mounts::restrict(tree.get(), forbids, true).map_err(doing("mount_setattr"))?;
            put(&tree, root, &source.place, source.what)?;
        }
        Ok(())
    }
}

/// On something of the root's; no link is followed there.
pub(super) fn put(mount: &Fd, root: &Fd, on: &CStr, what: What) -> Result<(), Fault> {
    let place = mounts::open_below(root.get(), on, what)
        .map_err(doing("opening what is in the root to mount on"))?;
    mounts::attach(mount.get(), place.get(), c"").map_err(doing("attaching a mount"))
}

fn raw(text: impl AsRef<std::ffi::OsStr>) -> Result<CString, PrepareError> {
    CString::new(text.as_ref().as_bytes())
        .map_err(|_| Problem::new(NAME, "a path to mount has a NUL byte in it", "").into())
}

/// The path of a place, as one below the root, if there is one that will do.
fn place(root: &RootHandle, target: &Path, what: What) -> Result<CString, PrepareError> {
    let place = raw(target.strip_prefix("/").unwrap_or(target))?;
    let found = mounts::open_below(root.fd.as_raw_fd(), &place, what)
        .and_then(|found| mounts::what_is(found.get()));
    let on = target.display();
    match found {
        Ok(is) if is.is_directory() == (what == What::Directory) => Ok(place),
        Ok(_) => Err(Problem::new(
            NAME,
            format!("nothing can be mounted on {on}"),
            "one of both is a directory, and the other is not",
        )
        .into()),
        Err(errno) => Err(unusable(root, target, what, errno).into()),
    }
}

fn unusable(root: &RootHandle, target: &Path, what: What, errno: Errno) -> Problem {
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
    problem.help(match what {
        What::Directory => format!("mkdir -p {path}"),
        What::Anything => format!("touch {path}"),
    })
}
