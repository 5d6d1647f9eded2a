//! Linux: the execution domain.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::privileges;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct ExecutionDomain;

impl Step for ExecutionDomain {
    tells!(Enter, step_names::EXECUTION_DOMAIN, ["personality"], [StateReset]);

    fn explains(&self) -> String {
        "the plain Linux execution domain: random addresses, nothing emulated".into()
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        privileges::reset_execution_domain().map_err(doing("resetting the execution domain"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let plain = privileges::execution_domain_is_plain()
            .map_err(doing("reading the execution domain"))?;
        must(plain, "the execution domain is another")
    }
}
