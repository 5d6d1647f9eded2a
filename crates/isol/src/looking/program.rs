//! The program is in the root, with all that it loads, and only root can write to any of it.

use std::path::{Path, PathBuf};

use isol_core::{Command, Kind, PrepareError, Problem, RootHandle, Scene, Step, step_names};
use isol_root::{
    ClosureError, Resolver, Sysroot, diagnose, find_program,
    safety::{self, Runner, SafetyError},
};

use isol_sys::quote;

use super::known::Known;
use super::throw_away::walk_problem;

#[derive(Debug)]
pub(crate) struct ProgramInRoot {
    pub(super) known: Known,
}

impl Step for ProgramInRoot {
    fn name(&self) -> &'static str {
        step_names::PROGRAM
    }

    fn phase(&self) -> isol_core::Phase {
        isol_core::Phase::Prepare
    }

    fn explains(&self) -> String {
        "find the program, its interpreter and every library in the root; each must be root's, and only root's to write".into()
    }

    fn calls(&self) -> &'static [&'static str] {
        &["openat", "fstat", "read", "fstatvfs"]
    }

    fn establishes(&self) -> &'static [isol_core::Guarantee] {
        &[isol_core::Guarantee::RootSafe]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let missing = |what: &str| Problem::new(step_names::PROGRAM, what, "");
        let root = scene.root.as_ref().ok_or_else(|| missing("no root has been opened"))?;
        if self.known.was_looked_at((root.device, root.inode)) {
            // Files and directories are for everybody to read in such a tree, whoever the user is.
            check_mount(root)?;
            self.known.pass();
            return Ok(());
        }
        let command = scene.command.take().ok_or_else(|| missing("no program is named"))?;
        let ids = scene.outside.as_ref().or(scene.ids.as_ref());
        let ids = ids.ok_or_else(|| missing("nobody has said who the program will be"))?;
        let tree = sysroot(root)?;
        let explain = |error: &ClosureError| problem(error, step_names::PROGRAM, Some(&root.path));
        let path = find(&command, &tree).map_err(|e| explain(&e))?;
        let closure = Resolver::new(&tree).closure(&path, &[]).map_err(|e| explain(&e))?;
        let runner = Runner { uid: ids.uid, gid: ids.gid, groups: &ids.groups };
        safety::check_for(&tree, (&closure).into(), runner, scene.caller)
            .map_err(|error| unsafe_problem(&error))?;
        check_mount(root)?;
        scene.command = Some(command.found_at(path));
        self.known.pass();
        Ok(())
    }
}

pub(crate) fn sysroot(root: &RootHandle) -> Result<Sysroot, PrepareError> {
    let fd = root.fd.try_clone().map_err(|e| {
        PrepareError::system(step_names::PROGRAM, "can't duplicate a descriptor", e)
    })?;
    Sysroot::from_fd(fd, &root.path).map_err(|e| walk_problem(&e, step_names::PROGRAM).into())
}

/// By its path, which is one from the root directory, or in the usual directories.
fn find(command: &Command, tree: &Sysroot) -> Result<PathBuf, ClosureError> {
    let found = find_program(command.program().as_os_str(), tree)?;
    Ok(Path::new("/").join(found))
}

/// execve(2) would say EACCES, which explains nothing.
fn check_mount(root: &RootHandle) -> Result<(), PrepareError> {
    let looked = isol_sys::mount::forbids_execution(&root.fd);
    if !looked.map_err(|e| {
        PrepareError::system(step_names::PROGRAM, "can't look at the root's file system", e)
    })? {
        return Ok(());
    }
    let path = quote::shell(&root.path);
    Err(Problem::new(
        step_names::PROGRAM,
        "nothing in the root can be executed",
        format!("{} is on a file system that is mounted noexec", root.path.display()),
    )
    .kind(Kind::NotExecutable)
    .help(format!("mount -o remount,exec \"$(findmnt -no TARGET -T {path})\""))
    .into())
}

fn unsafe_problem(error: &SafetyError) -> Problem {
    let kind = match error {
        SafetyError::NotPermitted { .. } => Kind::NotExecutable,
        _ => Kind::Refused,
    };
    let mut problem = Problem::new(step_names::PROGRAM, error.to_string(), "").kind(kind);
    problem.help = error.mend().map(str::to_owned);
    problem
}

/// Why a program can't start, as the user reads it.
pub(crate) fn problem(error: &ClosureError, step: &'static str, root: Option<&Path>) -> Problem {
    let kind = if error.status() == 127 { Kind::NotFound } else { Kind::NotExecutable };
    let problem = Problem::new(step, error.to_string(), "").kind(kind);
    match root.and_then(|root| diagnose::remedy(error, root)) {
        Some(command) => problem.help(command),
        None => problem,
    }
}
