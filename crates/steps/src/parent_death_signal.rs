//! Linux and FreeBSD: the signal that the kernel sends when the parent ends.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::namespaces;
use isol_sys::privileges;
use isol_sys::process::Pid;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct ParentDeathSignal {
    pub(crate) die: bool,
}

impl Step for ParentDeathSignal {
    tells!(Drop, step_names::PARENT_DEATH_SIGNAL, ["prctl", "procctl", "getppid"], [StateReset]);

    fn explains(&self) -> String {
        let what = if self.die {
            "be killed when the parent ends"
        } else {
            "get no signal when the parent ends"
        };
        what.into()
    }

    fn apply(&self, stage: &Stage) -> Result<(), Fault> {
        if !self.die {
            return privileges::outlive_parent().map_err(doing("clearing the parent-death signal"));
        }
        privileges::die_with_parent().map_err(doing("setting the parent-death signal"))?;
        // One that ended before the call sends nothing. Behind an init, which ends with it and ends this process too, it has
        // no number.
        must(
            Pid::parent().get() == stage.parent || namespaces::parent_is_outside(),
            "the parent has ended",
        )
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let signal =
            privileges::parent_death_signal().map_err(doing("reading the parent-death signal"))?;
        must((signal != 0) == self.die, "the parent-death signal is another")
    }
}
