//! Linux: the securebits.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::privileges;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct Securebits {
    /// Whether uid 0 has capabilities inside.
    pub(crate) stays_root: bool,
}

impl Step for Securebits {
    tells!(Drop, step_names::SECUREBITS, ["prctl"], [PrivilegesEmpty, NoPrivilegeGain]);

    fn explains(&self) -> String {
        match self.stays_root {
            false => "lock the securebits: uid 0 means no capability, none is kept or made ambient",
            true => "lock the securebits: no capability is kept over a change of the uid or made ambient",
        }
        .into()
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        privileges::lock_securebits(self.stays_root).map_err(doing("locking the securebits"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let locked = privileges::securebits_are_locked(self.stays_root)
            .map_err(doing("reading the securebits"))?;
        must(locked, "the securebits are not locked")
    }
}
