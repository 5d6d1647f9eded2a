//! Linux: the capability bounding set.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::privileges;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct BoundingSet {
    /// What uid 0 keeps where the backend confines even that; else nothing.
    pub(crate) keep: u64,
}

impl Step for BoundingSet {
    tells!(Drop, step_names::BOUNDING_SET, ["prctl"], [PrivilegesEmpty, NoPrivilegeGain]);

    fn explains(&self) -> String {
        match self.keep {
            0 => "empty the capability bounding set".into(),
            keep => format!("leave the capabilities {keep:#x} in the bounding set"),
        }
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        privileges::limit_bounding_set(self.keep)
            .map_err(doing("dropping a capability from the bounding set"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let found =
            privileges::bounding_set_is(self.keep).map_err(doing("reading the bounding set"))?;
        must(
            found,
            if self.keep == 0 {
                "the bounding set is not empty"
            } else {
                "the bounding set is another"
            },
        )
    }
}
