//! The whole tree is walked, and what is bound into it.

use std::ffi::{CString, OsStr};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use isol_core::{
    Errno, Mode, MountHandle, PrepareError, Problem, Scene, SourceHandle, Step, step_names,
};
use isol_root::{Sysroot, audit};
use isol_sys::errno::{self, from_nix};
use isol_sys::meta::Meta;
use isol_sys::{quote, xattr};

use super::throw_away::walk_problem;

const NAME: &str = step_names::ROOT_CLEAN;

#[derive(Debug)]
pub(crate) struct RootClean;

impl Step for RootClean {
    fn name(&self) -> &'static str {
        step_names::ROOT_CLEAN
    }

    fn phase(&self) -> isol_core::Phase {
        isol_core::Phase::Prepare
    }

    fn explains(&self) -> String {
        "walk the whole tree: no set-id file, no stray device, no writable file with a link outside"
            .into()
    }

    fn calls(&self) -> &'static [&'static str] {
        &["openat2", "getdents64", "statx", "getxattrat"]
    }

    fn establishes(&self) -> &'static [isol_core::Guarantee] {
        &[isol_core::Guarantee::RootClean]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let root = scene
            .root
            .as_ref()
            .ok_or_else(|| Problem::new(step_names::ROOT_CLEAN, "no root has been opened", ""))?;
        let mut options = audit::Options::default();
        if scene.mode == Mode::Enter {
            // A thread that has just ended may still be counted as one beside which this process can't lock itself in.
            options.threads = NonZero::<usize>::MIN;
        }
        walk(&super::program::sysroot(root)?, &options, None)?;
        for mount in &scene.mounts {
            match &mount.source {
                Some(SourceHandle::Directory { path, fd, .. }) => {
                    let failed = |e| PrepareError::system(NAME, "can't duplicate a descriptor", e);
                    let tree = Sysroot::from_fd(fd.try_clone().map_err(failed)?, path);
                    walk(&tree.map_err(|e| walk_problem(&e, NAME))?, &options, Some(mount))?;
                }
                Some(SourceHandle::File { path, parent, name, .. }) => {
                    let what = file(parent, name, mount.read_only).map_err(|errno| {
                        Problem::call(NAME, format!("can't look at {}", quote::shown(path)), errno)
                    })?;
                    if let Some(what) = what {
                        let what = format!("{} {what}", quote::shown(path));
                        return Err(Problem::new(NAME, what, "").help(without(mount)).into());
                    }
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// The root's own tree, or what is bound into it, which is the host's: nobody is told to change that.
fn walk(
    tree: &Sysroot,
    options: &audit::Options,
    bound: Option<&MountHandle>,
) -> Result<(), Problem> {
    let found = audit::unclean(tree, options)
        .map_err(|error| Problem::new(NAME, "can't walk the tree", error.to_string()))?;
    let Some(first) = found.first() else { return Ok(()) };
    let more =
        if found.len() > 1 { format!("; and {} more", found.len() - 1) } else { String::new() };
    let mut problem = Problem::new(NAME, format!("{first}{more}"), "");
    problem.help = bound.map(without).or_else(|| first.mend.clone());
    Err(problem)
}

fn without(mount: &MountHandle) -> String {
    format!("leave {} out, or bind less", mount.asked)
}

/// What is wrong with a file that is bound: it has a name outside for sure.
fn file(parent: &OwnedFd, name: &OsStr, read_only: bool) -> Result<Option<&'static str>, Errno> {
    let meta = Meta::at(parent, name).map_err(from_nix)?;
    let capable = || {
        let name = CString::new(name.as_bytes()).map_err(|_| errno::NO_ENTRY)?;
        xattr::has_file_capabilities_at(parent, &name).map_err(from_nix)
    };
    Ok(if meta.is_char_device() || meta.is_block_device() {
        Some("is a device")
    } else if meta.is_file() && (meta.mode & 0o6000 != 0 || capable()?) {
        Some("is a set-id file, or one with capabilities")
    } else if meta.is_file() && !read_only && (meta.uid != 0 || meta.writable_by_others()) {
        Some("can be written to inside, and is a file of the host's")
    } else {
        None
    })
}
