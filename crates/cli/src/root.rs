//! `isol root`

mod add;

use std::process::ExitCode;

use isol::Problem;

use crate::arguments::Root;

pub(crate) fn root(arguments: &Root) -> Result<ExitCode, Problem> {
    match arguments {
        Root::Add(arguments) => add::add(arguments),
    }
}
