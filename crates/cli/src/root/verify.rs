//! `isol root verify`

use std::process::ExitCode;

use isol::Problem;
use isol_root::keep::verify::{self, Difference};
use isol_root::quote::shown;
use serde_json::json;

use super::{FOUND, absolute, problem, text};
use crate::arguments::RootDir;
use crate::output;

const STEP: &str = "root-verify";

pub(super) fn verify(arguments: &RootDir) -> Result<ExitCode, Problem> {
    let dir = absolute(&arguments.dir, STEP)?;
    let found = verify::verify(&dir).map_err(|error| problem(STEP, &error))?;
    if arguments.json {
        let one = |difference: &Difference| {
            json!({
                "path": text(&difference.path),
                "how": difference.how.name(),
                "detail": difference.detail,
            })
        };
        let list: Vec<_> = found.iter().map(one).collect();
        output::print_json(&json!({ "root": text(&dir), "differences": list }))?;
    } else {
        output::print(found.iter().map(line).collect::<String>())?;
    }
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

fn line(difference: &Difference) -> String {
    let detail = match difference.detail.as_str() {
        "" => String::new(),
        detail => format!(": {detail}"),
    };
    format!("{} {}{detail}\n", difference.how, shown(&difference.path))
}
