//! `isol root remove`

use std::process::ExitCode;

use isol::Problem;
use isol_root::keep::remove;

use super::update::told;
use super::{absolute, problem};
use crate::arguments::RootRemove;

const STEP: &str = "root-remove";

pub(super) fn remove(arguments: &RootRemove) -> Result<ExitCode, Problem> {
    let dir = absolute(&arguments.dir, STEP)?;
    let paths = arguments.paths.iter().map(|p| absolute(p, STEP)).collect::<Result<Vec<_>, _>>()?;
    let updated = remove::remove(&dir, &paths).map_err(|error| problem(STEP, &error))?;
    told(&dir, &updated, arguments.json)
}
