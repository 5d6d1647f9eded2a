//! `isol plan`

use std::process::ExitCode;

use isol::{Mode, Problem};

use crate::{arguments, output, policy, run};

pub(crate) fn plan(arguments: &arguments::Plan) -> Result<ExitCode, Problem> {
    let options = &arguments.options;
    let command = policy::command(&arguments.program)?;
    let (policy, mode) = match run::supervised(policy::policy(options)?, arguments.timeout) {
        (policy, true) => (policy, Mode::Spawn),
        (policy, false) => (policy, Mode::Exec),
    };
    let plan = policy::isolation(policy, options)?.plan(mode, Some(&command))?;
    if options.json { output::print_json(&plan) } else { output::print(plan) }?;
    Ok(ExitCode::SUCCESS)
}
