//! The program is in the root, with all that it loads, and only root can write to any of it.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use isol_core::{Command, Kind, PrepareError, Problem, RootHandle, Scene, Step, step_names};
use isol_root::walk::Content;
use isol_root::{
    Closure, ClosureError, Resolver, Sysroot, diagnose, find_program,
    safety::{self, Runner, SafetyError},
};

use isol_sys::quote;

use super::known::Known;
use super::{mounted, throw_away::walk_problem};

#[derive(Debug)]
pub(crate) struct ProgramInRoot {
    /// Whether an ordinary user's own files will do, who calls.
    pub(crate) as_caller: bool,
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
        let whose = match self.as_caller {
            false => "root's, and only root's to write",
            true => "root's or the caller's, and nobody else's to write",
        };
        format!(
            "find the program, its interpreter and every library in the root; each must be {whose}"
        )
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
        if scene.mounts.is_empty() && self.known.was_looked_at((root.device, root.inode)) {
            // Files and directories are for everybody to read in such a tree, whoever the user is.
            check_mount(&root.fd, &root.path, "the root")?;
            self.known.pass();
            return Ok(());
        }
        let command = scene.command.take().ok_or_else(|| missing("no program is named"))?;
        let ids = scene.outside.as_ref().or(scene.ids.as_ref());
        let ids = ids.ok_or_else(|| missing("nobody has said who the program will be"))?;
        let tree = sysroot(root)?.with_mounts(mounted::contents(&scene.mounts)?);
        let explain = |error: &ClosureError| {
            let problem = problem(error, step_names::PROGRAM, Some(&root.path));
            match mounted::hiding(&command, root, &scene.mounts) {
                Some(mounts) => problem.help(format!(
                    "the root has it, behind {mounts}: leave that out, or mount it elsewhere"
                )),
                None => problem,
            }
        };
        let path = find(&command, &tree).map_err(|e| explain(&e))?;
        let closure = Resolver::new(&tree).closure(&path, &[]).map_err(|e| explain(&e))?;
        let runner = Runner { uid: ids.uid, gid: ids.gid, groups: &ids.groups };
        safety::check_for(&tree, (&closure).into(), runner, scene.caller)
            .map_err(|error| unsafe_problem(&error))?;
        check_mounts(root, &tree, &closure)?;
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
pub(crate) fn find(command: &Command, tree: &Sysroot) -> Result<PathBuf, ClosureError> {
    let found = find_program(command.program().as_os_str(), tree)?;
    Ok(Path::new("/").join(found))
}

/// execve(2) would say EACCES, which explains nothing.
fn check_mounts(root: &RootHandle, tree: &Sysroot, closure: &Closure) -> Result<(), PrepareError> {
    check_mount(&root.fd, &root.path, "the root")?;
    let needed: Vec<_> = match tree.mounts() {
        [] => return Ok(()),
        _ => closure
            .executed
            .iter()
            .chain(&closure.loaded)
            .filter_map(|path| tree.walk(path).ok())
            .collect(),
    };
    for mounted in tree.mounts() {
        let is_needed = needed.iter().any(|trail| trail.path().starts_with(&mounted.target));
        match &mounted.what {
            Content::Directory { path, fd } if is_needed => check_mount(fd, path, "what is bound")?,
            Content::File { path, parent, .. } if is_needed => {
                check_mount(parent, path, "what is bound")?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_mount(fd: &OwnedFd, path: &Path, what: &str) -> Result<(), PrepareError> {
    let looked = isol_sys::mount::forbids_execution(fd);
    if !looked.map_err(|e| {
        PrepareError::system(step_names::PROGRAM, "can't look at the root's file system", e)
    })? {
        return Ok(());
    }
    let why = format!("{} is on a file system that is mounted noexec", path.display());
    let path = quote::shell(path);
    Err(Problem::new(step_names::PROGRAM, format!("nothing in {what} can be executed"), why)
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
    problem.help = error.mend();
    problem
}

/// Why a program can't start, as the user reads it.
pub(crate) fn problem(error: &ClosureError, step: &'static str, root: Option<&Path>) -> Problem {
    let kind = match error.status() {
        127 => Kind::NotFound,
        126 => Kind::NotExecutable,
        _ => Kind::Refused,
    };
    let problem = Problem::new(step, error.to_string(), "").kind(kind);
    match root.and_then(|root| diagnose::remedy(error, root)) {
        Some(command) => problem.help(command),
        None => problem,
    }
}
