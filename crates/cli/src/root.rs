//! `isol root`

mod add;
mod audit;
mod build;
mod cache;
mod diagnose;
mod relay;
mod remove;
mod trace;
mod update;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use isol::{Errno, Problem};
use isol_root::keep::KeepError;

use crate::arguments::Root;

/// Something was found, or left: the command's own word for it, as coreutils' cmp has one.
const FOUND: u8 = 1;

pub(crate) fn root(arguments: &Root) -> Result<ExitCode, Problem> {
    match arguments {
        Root::Build(arguments) => build::build(arguments),
        Root::Add(arguments) => add::add(arguments),
        Root::Audit(arguments) => audit::audit(arguments),
        Root::Verify(arguments) => verify::verify(arguments),
        Root::Update(arguments) => update::update(arguments),
        Root::Remove(arguments) => remove::remove(arguments),
        Root::Diagnose(arguments) => diagnose::diagnose(arguments),
        Root::Cache(arguments) => cache::cache(arguments),
    }
}

fn absolute(path: &Path, step: &'static str) -> Result<PathBuf, Problem> {
    std::path::absolute(path).map_err(|error| Problem::io(step, "can't tell where this is", &error))
}

/// An error of a tree's, as the user reads it.
fn problem(step: &'static str, error: &KeepError) -> Problem {
    if let KeepError::RootDir(error) = error {
        return isol::root_refusal(error);
    }
    let mut problem = Problem::new(step, error.to_string(), "");
    problem.errno = error.errno().map(|errno| Errno(errno as i32));
    problem.help = error.mend();
    problem
}

/// A path in JSON: what is not UTF-8 is replaced.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
