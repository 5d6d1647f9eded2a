//! Linux: the ambient, inheritable, permitted and effective capability sets.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::privileges;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct Capabilities;

impl Step for Capabilities {
    tells!(
        Drop,
        step_names::CAPABILITIES,
        ["prctl", "capset", "capget"],
        [PrivilegesEmpty, NoNewRoot]
    );

    fn explains(&self) -> String {
        "empty the ambient, inheritable, permitted and effective capability sets".into()
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        privileges::empty_capabilities().map_err(doing("emptying the capability sets"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let empty = privileges::capabilities_are_empty().map_err(doing("capget"))?;
        must(empty, "a capability is left")
    }
}
