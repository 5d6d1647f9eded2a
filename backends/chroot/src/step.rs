//! The working directory becomes the root directory.

use isol_core::{Fault, Guarantee, Phase, Stage, Step, step_names};
use isol_sys::chroot;

#[derive(Debug)]
pub(crate) struct ChangeRoot;

impl Step for ChangeRoot {
    fn name(&self) -> &'static str {
        step_names::CHROOT
    }

    fn phase(&self) -> Phase {
        Phase::Enter
    }

    fn explains(&self) -> String {
        "make the working directory, which is the checked one, the root directory".into()
    }

    fn calls(&self) -> &'static [&'static str] {
        &["chroot"]
    }

    fn establishes(&self) -> &'static [Guarantee] {
        &[Guarantee::RootConfined]
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        chroot::root_here().map_err(|errno| Fault::call(errno, "chroot"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let failed = |errno| Fault::call(errno, "stat");
        let root = chroot::identity(c"/").map_err(failed)?;
        let above = chroot::identity(c"/..").map_err(failed)?;
        if root == above {
            Ok(())
        } else {
            Err(Fault::state("there is something above the root directory"))
        }
    }
}
