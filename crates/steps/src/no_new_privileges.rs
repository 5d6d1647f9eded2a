//! Linux and FreeBSD: nothing that is executed grants anything.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::privileges;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct NoNewPrivileges;

impl Step for NoNewPrivileges {
    tells!(Drop, step_names::NO_NEW_PRIVILEGES, ["prctl", "procctl"], [NoPrivilegeGain]);

    fn explains(&self) -> String {
        "have execve grant nothing, whatever set-id bits or file capabilities say".into()
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        privileges::set_no_new_privileges().map_err(doing("setting no_new_privs"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let set = privileges::has_no_new_privileges().map_err(doing("reading no_new_privs"))?;
        must(set, "no_new_privs is not set")
    }
}
