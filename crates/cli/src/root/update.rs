//! `isol root update`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use isol::Problem;
use isol_root::keep::update::{self, Updated};
use isol_root::quote::shown;
use serde_json::json;

use super::{FOUND, absolute, problem, text};
use crate::arguments::RootDir;
use crate::output;

const STEP: &str = "root-update";

pub(super) fn update(arguments: &RootDir) -> Result<ExitCode, Problem> {
    let dir = absolute(&arguments.dir, STEP)?;
    let updated = update::update(&dir).map_err(|error| problem(STEP, &error))?;
    told(&dir, &updated, arguments.json)
}

/// Says what has become of the tree.
pub(super) fn told(dir: &Path, updated: &Updated, json: bool) -> Result<ExitCode, Problem> {
    if json {
        let list = |paths: &[PathBuf]| paths.iter().map(|p| text(p)).collect::<Vec<_>>();
        output::print_json(&json!({
            "root": text(dir),
            "added": list(&updated.added),
            "changed": list(&updated.changed),
            "removed": list(&updated.removed),
            "kept": list(&updated.kept),
            "notes": updated.notes,
        }))?;
    } else {
        let lists = [
            ("added", &updated.added),
            ("changed", &updated.changed),
            ("removed", &updated.removed),
            ("kept, because it was changed in the tree:", &updated.kept),
        ];
        for (what, paths) in lists {
            let lines = paths.iter().map(|path| format!("{what} {}\n", shown(path)));
            output::print(lines.collect::<String>())?;
        }
    }
    Ok(if updated.kept.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}
