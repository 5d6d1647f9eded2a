//! The umask.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::signals::set_umask;

use crate::tells::must;

#[derive(Debug)]
pub(crate) struct Umask {
    pub(crate) umask: u32,
}

impl Step for Umask {
    tells!(Enter, step_names::UMASK, ["umask"], [StateReset]);

    fn explains(&self) -> String {
        format!("set the umask to {:03o}", self.umask)
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        set_umask(self.umask);
        Ok(())
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        must(set_umask(self.umask) == self.umask, "the umask is another")
    }
}
