//! `isol plan`

use std::process::ExitCode;

use isol::{Mode, Problem};

use crate::{arguments, output, policy, run};

pub(crate) fn plan(arguments: &arguments::Plan) -> Result<ExitCode, Problem> {
    let options = &arguments.options;
    let command = policy::command(&arguments.program)?;
    let isolation = policy::isolation(policy::policy(options)?, options)?;
    let (isolation, mode) = match run::supervised(isolation, arguments.timeout)? {
        (isolation, true) => (isolation, Mode::Spawn),
        (isolation, false) => (isolation, Mode::Exec),
    };
    let plan = isolation.plan(mode, Some(&command))?;
    if options.often.json { output::print_json(&plan) } else { output::print(plan) }?;
    Ok(ExitCode::SUCCESS)
}
