//! Into the root, through the descriptor that was checked.

use std::os::fd::AsRawFd;

use isol_core::{Errno, Fault, PrepareError, Scene, Stage, Step, step_names};
use isol_sys::chroot;

use crate::tells::doing;

#[derive(Debug, Default)]
pub(crate) struct ChangeDirectory {
    fd: Option<i32>,
    identity: (u64, u64),
}

impl Step for ChangeDirectory {
    tells!(Enter, step_names::CHANGE_DIRECTORY, ["fchdir", "stat"], [RootConfined]);

    fn explains(&self) -> String {
        "make the checked directory the working directory, through its descriptor".into()
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        if let Some(root) = &scene.root {
            self.fd = Some(root.fd.as_raw_fd());
            self.identity = (root.device, root.inode);
        }
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        // Without a root descriptor there is nothing that could be entered.
        let fd = self.fd.ok_or(Fault::state("no root has been opened"))?;
        chroot::change_directory_to(fd).map_err(doing("fchdir into the root"))?;
        let here = chroot::identity(c".").map_err(doing("stat ."))?;
        crate::tells::must(here == self.identity, "the working directory is not the checked root")
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let root = chroot::identity(c"/").map_err(doing("stat /"))?;
        if root == self.identity {
            Ok(())
        } else {
            Err(Fault::call(Errno(0), "the root directory is not the one that was checked"))
        }
    }
}
