//! A network of the program's own.

use isol_core::{Fault, Guarantee, Phase, PrepareError, Problem, Scene, Stage, Step, step_names};
use isol_sys::namespaces::{self, Kinds, Own};

/// Goes into the network that **namespaces** has had made meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// What tells the one outside from it, where no `/proc` will say so later.
    outside: Option<u64>,
}

impl Step for Network {
    fn name(&self) -> &'static str {
        step_names::NETWORK
    }

    fn phase(&self) -> Phase {
        Phase::Enter
    }

    fn explains(&self) -> String {
        "go into a new network namespace, in which nothing but a loopback is, that is up".into()
    }

    fn calls(&self) -> &'static [&'static str] {
        &["unshare", "setns", "socket", "ioctl"]
    }

    fn establishes(&self) -> &'static [Guarantee] {
        &[Guarantee::NetworkConfined, Guarantee::IpcPrivate]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        if crate::namespaces::is_blind(scene) {
            let outside = Own::open().and_then(|own| own.identity(Kinds::NET));
            self.outside = Some(outside.map_err(|errno| {
                Problem::call(self.name(), "can't tell which network namespace this is", errno)
            })?);
        }
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        namespaces::enter_network().map_err(|(errno, what)| Fault::call(errno, what))?;
        // Else **namespaces** looks at all kinds, when everything is read back.
        let Some(outside) = self.outside else { return Ok(()) };
        match namespaces::network_identity() {
            Ok(inside) if inside != outside => Ok(()),
            Ok(_) => Err(Fault::state("still in the caller's network namespace")),
            Err(errno) => Err(Fault::call(errno, "looking at the network namespace")),
        }
    }
}
