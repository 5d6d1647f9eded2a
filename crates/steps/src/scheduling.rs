//! Nice value, scheduling policy, CPU affinity.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::scheduling;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct Scheduling;

impl Step for Scheduling {
    tells!(
        Enter,
        step_names::SCHEDULING,
        ["sched_setscheduler", "ioprio_set", "sched_setaffinity", "setpriority"],
        [StateReset]
    );

    fn explains(&self) -> String {
        "nice value 0, the ordinary scheduling policy and I/O priority, every CPU".into()
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        scheduling::reset().map_err(doing("resetting the scheduling"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        must(
            scheduling::is_reset().map_err(doing("reading the scheduling"))?,
            "nice value or policy is another",
        )
    }
}
