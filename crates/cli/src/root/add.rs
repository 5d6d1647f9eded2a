//! `isol root add`

use std::process::ExitCode;

use isol::Problem;
use isol_root::keep::add;

use super::{absolute, problem};
use crate::arguments::RootAdd;

const STEP: &str = "root-add";

pub(super) fn add(arguments: &RootAdd) -> Result<ExitCode, Problem> {
    let dir = absolute(&arguments.dir, STEP)?;
    let paths = arguments.paths.iter().map(|p| absolute(p, STEP)).collect::<Result<Vec<_>, _>>()?;
    add::add(&dir, &paths).map_err(|error| problem(STEP, &error))?;
    Ok(ExitCode::SUCCESS)
}
