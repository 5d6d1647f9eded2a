//! Everything that nobody asked for is closed.

use std::os::fd::AsRawFd;

use isol_core::{Fault, Mode, PrepareError, Scene, Stage, Step, step_names};
use isol_sys::descriptors;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct Descriptors {
    /// Sorted.
    pub(crate) pass: Vec<i32>,
    /// The same, and those that a later step still needs and closes; sorted.
    keep: Vec<i32>,
}

impl Descriptors {
    pub(crate) fn new(mut pass: Vec<i32>) -> Self {
        pass.sort_unstable();
        pass.dedup();
        Self { keep: pass.clone(), pass }
    }

    /// The highest one that is kept, or is put on a standard descriptor.
    fn last_needed(&self, stage: &Stage) -> i32 {
        let needed = self.keep.iter().copied().chain(stage.report);
        needed.chain(stage.stdio.into_iter().flatten()).fold(2, i32::max)
    }
}

impl Step for Descriptors {
    tells!(
        Enter,
        step_names::DESCRIPTORS,
        ["close_range", "dup2", "fcntl", "poll"],
        [DescriptorsClosed, RootConfined]
    );

    fn explains(&self) -> String {
        let passed: Vec<_> = self.pass.iter().map(|fd| format!(", {fd}")).collect();
        format!("close every descriptor but 0, 1, 2{}", passed.concat())
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        if let Some(users) = &scene.user_namespace {
            self.keep.push(users.as_raw_fd());
            self.keep.sort_unstable();
        }
        Ok(())
    }

    fn apply(&self, stage: &Stage) -> Result<(), Fault> {
        if stage.mode == Mode::Spawn {
            // Before anything is changed: until now the table may be the parent's.
            descriptors::part_from_parent(self.last_needed(stage))
                .map_err(doing("leaving the parent's descriptors"))?;
        }
        for (to, from) in (0..).zip(stage.stdio) {
            if let Some(from) = from {
                descriptors::put(from, to).map_err(doing("dup2 onto a standard descriptor"))?;
            }
        }
        descriptors::close_all_but(&self.keep, stage.report)
            .map_err(doing("closing descriptors"))?;
        if stage.mode != Mode::Enter {
            for &fd in &self.pass {
                descriptors::keep_across_exec(fd).map_err(doing("passing a descriptor on"))?;
            }
        }
        Ok(())
    }

    fn verify(&self, stage: &Stage) -> Result<(), Fault> {
        must((0..3).all(descriptors::is_open), "a standard descriptor is closed")?;
        must(
            self.pass.iter().all(|&fd| descriptors::is_open(fd)),
            "a passed descriptor is closed",
        )?;
        let found = descriptors::first_open(3, &self.pass, stage.report, stage.mode != Mode::Enter);
        match found.map_err(doing("looking for open descriptors"))? {
            Some(fd) => Err(Fault::found("still open: descriptor ", fd as u64)),
            None => Ok(()),
        }
    }
}
