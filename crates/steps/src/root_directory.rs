//! The root is opened component by component, each one checked on its own descriptor.

use std::path::{Path, PathBuf};

use isol_core::{PrepareError, Problem, RootHandle, Scene, Step, step_names};
use isol_sys::rootdir::{self, RootDirError};

#[derive(Debug)]
pub(crate) struct RootDirectory {
    /// `None` for a root that an earlier step makes.
    pub(crate) path: Option<PathBuf>,
    /// Whether it is an ordinary user who calls, whose own directories will do.
    pub(crate) as_caller: bool,
}

impl Step for RootDirectory {
    tells!(Prepare, step_names::ROOT_DIRECTORY, ["openat", "fstat"], [RootSafe, RootConfined]);

    fn explains(&self) -> String {
        let path = self.path.as_ref().map_or("the new tree".into(), |p| p.display().to_string());
        let whose = match self.as_caller {
            false => "root's, and only root's to write",
            true => "root's or the caller's, and nobody else's to write",
        };
        format!("open {path} one component at a time; each must be {whose}")
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let path = self.path.clone().or_else(|| scene.root_path.clone()).ok_or_else(|| {
            Problem::new(
                step_names::ROOT_DIRECTORY,
                "there is no root to open",
                "no step has made one",
            )
        })?;
        let opened = match scene.caller {
            None => rootdir::open(&path),
            Some(caller) => rootdir::open_own(&path, caller),
        };
        let root = opened.map_err(|error| refusal(&error))?;
        let (device, inode) = root.id();
        scene.root =
            Some(RootHandle { path: root.path().to_owned(), device, inode, fd: root.into_fd() });
        Ok(())
    }
}

/// Directories whose mode must not be mended.
const SHARED: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// Why a root is refused, as the user reads it.
#[must_use]
pub fn refusal(error: &RootDirError) -> Problem {
    let mut problem = Problem::new(step_names::ROOT_DIRECTORY, error.to_string(), "");
    problem.errno = error.errno().map(isol_sys::errno::from_nix);
    problem.help = match error {
        // Everybody is meant to write there: it is the root that is in the wrong place.
        RootDirError::Unsafe { component, .. }
            if SHARED.iter().any(|s| component == Path::new(s)) =>
        {
            Some("put the root where only root can write, for instance below /srv".to_owned())
        }
        _ => error.mend().map(str::to_owned),
    };
    problem
}
