//! Signal dispositions and mask.

use isol_core::{Fault, Mode, Stage, Step, step_names};
use isol_sys::signals::{self, Reset};

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct Signals;

fn reset_for(stage: &Stage) -> Reset {
    match stage.mode {
        Mode::Enter => Reset::Ignored,
        Mode::Exec | Mode::Spawn => Reset::All,
    }
}

impl Step for Signals {
    tells!(Enter, step_names::SIGNALS, ["rt_sigaction", "rt_sigprocmask"], [StateReset]);

    fn explains(&self) -> String {
        "ignore no signal, block none".into()
    }

    fn apply(&self, stage: &Stage) -> Result<(), Fault> {
        // In this order: a handler of the parent's must not run here.
        signals::reset_dispositions(reset_for(stage)).map_err(doing("resetting dispositions"))?;
        signals::unblock_all().map_err(doing("unblocking signals"))
    }

    fn verify(&self, stage: &Stage) -> Result<(), Fault> {
        let blocked = !signals::none_is_blocked().map_err(doing("reading the signal mask"))?;
        must(!blocked, "signals are still blocked")?;
        match signals::first_ignored(reset_for(stage)).map_err(doing("reading dispositions"))? {
            Some(signal) => Err(Fault::found("still ignored: signal ", signal as u64)),
            None => Ok(()),
        }
    }
}
