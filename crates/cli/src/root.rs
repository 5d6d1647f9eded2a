//! `isol root`

mod add;
mod audit;

use std::process::ExitCode;

use isol::Problem;

use crate::arguments::Root;

pub(crate) fn root(arguments: &Root) -> Result<ExitCode, Problem> {
    match arguments {
        Root::Add(arguments) => add::add(arguments),
        Root::Audit(arguments) => audit::audit(arguments),
    }
}
