//! The session and its controlling terminal.

use isol_core::{Fault, Mode, PrepareError, Problem, Scene, Stage, Step, step_names};
use isol_sys::session;

use crate::tells::must;

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) keep_terminal: bool,
}

impl Step for Session {
    tells!(Enter, step_names::SESSION, ["setsid", "ioctl"], [SessionDetached]);

    fn explains(&self) -> String {
        if self.keep_terminal {
            "stay in the caller's session, with its controlling terminal (--allow terminal)".into()
        } else {
            "start a session without a controlling terminal".into()
        }
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let stuck =
            scene.mode != Mode::Spawn && session::leads_a_group() && session::has_terminal();
        if self.keep_terminal || !stuck {
            return Ok(());
        }
        Err(Problem::new(
            self.name(),
            "this process can't leave its controlling terminal",
            "it leads a process group, and such a process can't start a session",
        )
        .help("have it started by a supervisor or by setsid(1), or allow the terminal")
        .into())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        // It fails for the leader of a group, which may have no terminal all the same.
        if self.keep_terminal || session::start().is_ok() {
            return Ok(());
        }
        must(
            !session::has_terminal(),
            "a process-group leader can't leave its controlling terminal",
        )
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let controlled = !self.keep_terminal && session::standard_descriptors_control();
        must(!controlled, "a standard descriptor is still the controlling terminal")
    }
}
