//! The whole tree is walked.

use std::num::NonZero;

use isol_core::{Mode, PrepareError, Problem, Scene, Step, step_names};
use isol_root::audit;

#[derive(Debug)]
pub(crate) struct RootClean;

impl Step for RootClean {
    fn name(&self) -> &'static str {
        step_names::ROOT_CLEAN
    }

    fn phase(&self) -> isol_core::Phase {
        isol_core::Phase::Prepare
    }

    fn explains(&self) -> String {
        "walk the whole tree: no set-id file, no stray device, no writable file with a link outside"
            .into()
    }

    fn calls(&self) -> &'static [&'static str] {
        &["openat2", "getdents64", "statx", "getxattrat"]
    }

    fn establishes(&self) -> &'static [isol_core::Guarantee] {
        &[isol_core::Guarantee::RootClean]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let root = scene
            .root
            .as_ref()
            .ok_or_else(|| Problem::new(step_names::ROOT_CLEAN, "no root has been opened", ""))?;
        let mut options = audit::Options::default();
        if scene.mode == Mode::Enter {
            // A thread that has just ended may still be counted as one beside which this process can't lock itself in.
            options.threads = NonZero::<usize>::MIN;
        }
        let found = audit::unclean(&super::program::sysroot(root)?, &options)
            .map_err(|error| Problem::new(self.name(), "can't walk the tree", error.to_string()))?;
        let Some(first) = found.first() else { return Ok(()) };
        let more =
            if found.len() > 1 { format!("; and {} more", found.len() - 1) } else { String::new() };
        let mut problem = Problem::new(self.name(), format!("{first}{more}"), "");
        problem.help = first.mend.clone();
        Err(problem.into())
    }
}
