//! The host's name, inside.

use std::ffi::CString;

use isol_core::{Fault, Guarantee, Phase, PrepareError, Problem, Scene, Stage, Step, step_names};
use isol_sys::namespaces;

#[derive(Debug)]
pub(crate) struct HostName {
    name: String,
    raw: CString,
}

impl HostName {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), raw: CString::default() }
    }
}

impl Step for HostName {
    fn name(&self) -> &'static str {
        step_names::HOST_NAME
    }

    fn phase(&self) -> Phase {
        Phase::Enter
    }

    fn explains(&self) -> String {
        format!("call the host {}, inside", self.name)
    }

    fn calls(&self) -> &'static [&'static str] {
        &["sethostname", "uname"]
    }

    fn establishes(&self) -> &'static [Guarantee] {
        &[Guarantee::HostnamePrivate]
    }

    fn prepare(&mut self, _scene: &mut Scene) -> Result<(), PrepareError> {
        self.raw = CString::new(self.name.as_str())
            .map_err(|_| Problem::new(self.name(), "the host name has a NUL byte in it", ""))?;
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        namespaces::set_hostname(&self.raw).map_err(|errno| Fault::call(errno, "sethostname"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        match namespaces::hostname_is(&self.raw) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Fault::state("the host's name is another")),
            Err(errno) => Err(Fault::call(errno, "uname")),
        }
    }
}
