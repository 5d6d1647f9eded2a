//! The whole tree is walked.

use isol_core::{PrepareError, Problem, Scene, Step, step_names};
use isol_root::clean;

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
        &["openat", "getdents64", "fstatat", "getxattr"]
    }

    fn establishes(&self) -> &'static [isol_core::Guarantee] {
        &[isol_core::Guarantee::RootClean]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let root = scene
            .root
            .as_ref()
            .ok_or_else(|| Problem::new(step_names::ROOT_CLEAN, "no root has been opened", ""))?;
        let found = clean::find_unclean(
            &super::program::sysroot(root)?,
            &clean::CleanOptions::default(),
        )
        .map_err(|error| Problem::new(self.name(), "can't walk the tree", error.to_string()))?;
        let Some(first) = found.first() else { return Ok(()) };
        let more =
            if found.len() > 1 { format!("; and {} more", found.len() - 1) } else { String::new() };
        let mut problem = Problem::new(
            self.name(),
            format!("{}: {}{more}", first.path.display(), first.what),
            "",
        );
        problem.help = first.mend.clone();
        Err(problem.into())
    }
}
