//! Linux: the capability bounding set.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::privileges;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct BoundingSet;

impl Step for BoundingSet {
    tells!(Drop, step_names::BOUNDING_SET, ["prctl"], [PrivilegesEmpty, NoPrivilegeGain]);

    fn explains(&self) -> String {
        "empty the capability bounding set".into()
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        privileges::empty_bounding_set()
            .map_err(doing("dropping a capability from the bounding set"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let empty =
            privileges::bounding_set_is_empty().map_err(doing("reading the bounding set"))?;
        must(empty, "the bounding set is not empty")
    }
}
