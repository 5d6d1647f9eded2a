//! `isol root cache`

use std::process::ExitCode;

use isol::Problem;
use isol_root::throwaway::cache;
use serde_json::json;

use crate::arguments::RootCache;
use crate::output;

const STEP: &str = "root-cache";

pub(super) fn cache(arguments: &RootCache) -> Result<ExitCode, Problem> {
    let failed =
        |error: isol_root::throwaway::ThrowawayError| Problem::new(STEP, error.to_string(), "");
    if arguments.clear {
        cache::clear().map_err(failed)?;
    }
    let kept = cache::list().map_err(failed)?;
    if arguments.json {
        let one = |kept: &cache::Kept| json!({ "program": kept.program, "bytes": kept.bytes });
        output::print_json(&kept.iter().map(one).collect::<Vec<_>>())?;
    } else {
        let line = |kept: &cache::Kept| format!("{:>12} {}\n", kept.bytes, kept.program);
        output::print(kept.iter().map(line).collect::<String>())?;
    }
    Ok(ExitCode::SUCCESS)
}
