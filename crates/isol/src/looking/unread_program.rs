//! A program in a format that isol does not read, so that what it loads is not known.

use isol_core::{PrepareError, Problem, Scene, Step, step_names};
use isol_root::find_program;

use super::program::{problem as closure_problem, sysroot};

#[derive(Debug)]
pub(crate) struct UnreadProgram {
    /// Whether it may run all the same: `root-safe` is given up then.
    pub(crate) allowed: bool,
}

impl Step for UnreadProgram {
    fn name(&self) -> &'static str {
        step_names::PROGRAM
    }

    fn phase(&self) -> isol_core::Phase {
        isol_core::Phase::Prepare
    }

    fn explains(&self) -> String {
        if self.allowed {
            "find the program in the root; it is not looked into".into()
        } else {
            "refuse: what the program loads can't be read from its file".into()
        }
    }

    fn calls(&self) -> &'static [&'static str] {
        &["openat", "fstat"]
    }

    fn establishes(&self) -> &'static [isol_core::Guarantee] {
        &[]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let missing = |what: &str| Problem::new(step_names::PROGRAM, what, "");
        if !self.allowed {
            return Err(Problem::new(
                step_names::PROGRAM,
                "what the program loads is not known, nor who can write to it",
                "isol reads ELF files and scripts, and programs of this system are neither",
            )
            .help(
                "let the program lock itself in: Isolation::enter() of the library; or give \
                 root-safe up there, with Allow::UncheckedProgram",
            )
            .into());
        }
        let command = scene.command.take().ok_or_else(|| missing("no program is named"))?;
        let root = scene.root.as_ref().ok_or_else(|| missing("no root has been opened"))?;
        let found = find_program(command.program().as_os_str(), &sysroot(root)?)
            .map_err(|error| closure_problem(&error, step_names::PROGRAM, Some(&root.path)))?;
        scene.command = Some(command.found_at(std::path::Path::new("/").join(found)));
        Ok(())
    }
}
