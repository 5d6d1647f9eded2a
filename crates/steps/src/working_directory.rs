//! The working directory, inside.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use isol_core::{Fault, PrepareError, Problem, Scene, Stage, Step, step_names};
use isol_sys::chroot;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct WorkingDirectory {
    pub(crate) path: PathBuf,
    raw: CString,
}

impl WorkingDirectory {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, raw: CString::default() }
    }
}

impl Step for WorkingDirectory {
    tells!(Enter, step_names::WORKING_DIRECTORY, ["chdir", "getcwd"], [RootConfined, StateReset]);

    fn explains(&self) -> String {
        format!("make {} inside the working directory", self.path.display())
    }

    fn prepare(&mut self, _scene: &mut Scene) -> Result<(), PrepareError> {
        self.raw = CString::new(self.path.as_os_str().as_bytes()).map_err(|_| {
            Problem::new(self.name(), "the working directory has a NUL byte in it", "")
        })?;
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        chroot::change_directory(c"/").map_err(doing("chdir to the new root"))?;
        chroot::change_directory(&self.raw).map_err(doing("chdir to the working directory"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let inside = chroot::working_directory_is_inside().map_err(doing("getcwd"))?;
        must(inside, "the working directory is outside of the root")
    }
}
