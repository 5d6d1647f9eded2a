//! Running a program to see what it opens: `isol root build --trace`.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use isol::Problem;
use isol_root::keep::{Recipe, trace};

use super::build::{STEP, member};
use super::problem;
use super::relay::Relay;
use crate::arguments::RootBuild;
use crate::output;

/// Who runs it where nobody is named.
const NOBODY: &str = "nobody";
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The files that the recipe's first program opens.
pub(super) fn trace(
    dir: &Path,
    recipe: &Recipe,
    arguments: &RootBuild,
) -> Result<Vec<PathBuf>, Problem> {
    let Some(program) = recipe.programs.first() else {
        return Err(Problem::new("usage", "--trace needs a program", "").help("--program PROGRAM"));
    };
    trace::available().map_err(|error| problem(STEP, &error))?;
    let user = match &recipe.user {
        Some(user) => user.clone(),
        None => member(NOBODY)?,
    };
    output::remark(format_args!(
        "trace: {} runs on this host, NOT CONFINED, as {} (uid {})",
        program.display(),
        user.name,
        user.uid
    ));
    let mut command = Command::new(program);
    command.args(&arguments.arguments).env_clear().env("PATH", PATH).current_dir("/");
    command.uid(user.uid).gid(user.gid).stdin(Stdio::null());
    let limit = arguments.trace_for;
    let traced = watch(command, limit, arguments.json)?;
    // One that has to be ended by a signal does not say that it succeeded.
    if !traced.status.success() && limit.is_none() {
        output::remark(format_args!(
            "trace: {} did not succeed ({}): what it would have opened later is missing",
            program.display(),
            traced.status
        ));
    }
    // What is in the tree already is not the host's.
    Ok(traced.paths.into_iter().filter(|path| !path.starts_with(dir)).collect())
}

/// With what it prints passed on; where isol's own standard output is for JSON, on standard error.
fn watch(
    mut command: Command,
    limit: Option<Duration>,
    json: bool,
) -> Result<trace::Traced, Problem> {
    let pipe = |error: io::Error| Problem::io(STEP, "can't make a pipe", &error);
    let (out, passing) =
        if json { Relay::new(io::stderr()) } else { Relay::new(io::stdout()) }.map_err(pipe)?;
    let (err, passing_errors) = Relay::new(io::stderr()).map_err(pipe)?;
    command.stdout(out).stderr(err);
    let traced = trace::trace(&mut command, limit).map_err(|error| problem(STEP, &error));
    // The command has the pipes' other ends.
    drop(command);
    passing.finish();
    passing_errors.finish();
    traced
}
