//! FreeBSD: nobody else traces the program.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::privileges;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct NoTracing;

impl Step for NoTracing {
    tells!(Drop, step_names::NO_TRACING, ["procctl"], [StateReset]);

    fn explains(&self) -> String {
        "keep others from tracing the program, and its memory out of core dumps".into()
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        privileges::stop_tracing().map_err(doing("switching tracing off"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let stopped =
            privileges::tracing_is_stopped().map_err(doing("asking whether tracing is off"))?;
        must(stopped, "the program could be traced")
    }
}
