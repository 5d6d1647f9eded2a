//! Linux: the ambient, inheritable, permitted and effective capability sets.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::privileges;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct Capabilities {
    /// What uid 0 keeps where the backend confines even that; else nothing.
    pub(crate) keep: u64,
}

impl Step for Capabilities {
    tells!(
        Drop,
        step_names::CAPABILITIES,
        ["prctl", "capset", "capget"],
        [PrivilegesEmpty, NoNewRoot]
    );

    fn explains(&self) -> String {
        match self.keep {
            0 => "empty the ambient, inheritable, permitted and effective capability sets".into(),
            keep => format!(
                "permitted and effective capabilities {keep:#x}, none inheritable or ambient"
            ),
        }
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        privileges::set_capabilities(self.keep).map_err(doing("emptying the capability sets"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let found = privileges::capabilities_are(self.keep).map_err(doing("capget"))?;
        must(
            found,
            if self.keep == 0 { "a capability is left" } else { "the capabilities are others" },
        )
    }
}
