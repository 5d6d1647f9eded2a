//! Linux: the session keyring.

use isol_core::{Fault, Stage, Step, step_names};
use isol_sys::privileges;

use crate::tells::doing;

#[derive(Debug)]
pub(crate) struct Keyring;

impl Step for Keyring {
    tells!(Enter, step_names::KEYRING, ["keyctl"], [StateReset]);

    fn explains(&self) -> String {
        "leave the caller's session keyring for a new, empty one".into()
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        privileges::leave_session_keyring().map_err(doing("joining a new session keyring"))
    }
}
