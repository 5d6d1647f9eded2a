//! What no namespace confines is taken away.

use isol_core::{
    Fault, Guarantee as G, Phase, PrepareError, Problem, Scene, Stage, Step, step_names,
};
use isol_sys::unconfined::{self, Filter};

/// With a network of its own the program is to have no other way to anybody; a machine's host, and keys that lie about
/// for everybody of the uid, are some.
#[derive(Debug, Default)]
pub(crate) struct Unconfined {
    filter: Option<Filter>,
}

impl Step for Unconfined {
    fn name(&self) -> &'static str {
        step_names::UNCONFINED
    }

    fn phase(&self) -> Phase {
        Phase::Seal
    }

    fn explains(&self) -> String {
        "deny what no namespace confines: sockets to the machine's host (vsock), keyrings; and io_uring, by which both could be had".into()
    }

    fn calls(&self) -> &'static [&'static str] {
        &["seccomp"]
    }

    fn establishes(&self) -> &'static [G] {
        &[G::NetworkConfined, G::IpcPrivate]
    }

    fn prepare(&mut self, _scene: &mut Scene) -> Result<(), PrepareError> {
        let filter = Filter::new().map_err(|errno| {
            Problem::call(self.name(), "can't deny what no namespace confines", errno)
                .help("leave out --network none: no filter is built in for this processor")
        })?;
        self.filter = Some(filter);
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        let filter = self.filter.as_ref().ok_or(Fault::state("not prepared"))?;
        filter.install().map_err(|errno| Fault::call(errno, "seccomp"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        match unconfined::is_denied() {
            true => Ok(()),
            false => Err(Fault::state("vsock, keyrings or io_uring can be used")),
        }
    }
}
