//! Interval timers.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::signals;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct Timers;

impl Step for Timers {
    tells!(Enter, step_names::TIMERS, ["setitimer"], [StateReset]);

    fn explains(&self) -> String {
        "stop the interval timers, which survive execve".into()
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        signals::stop_timers().map_err(doing("stopping the timers"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        must(
            signals::timers_are_stopped().map_err(doing("reading the timers"))?,
            "a timer still runs",
        )
    }
}
