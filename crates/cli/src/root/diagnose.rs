//! `isol root diagnose`

use std::process::ExitCode;

use isol::Problem;
use isol_root::Sysroot;
use isol_root::diagnose::{self, Finding};
use isol_root::quote::shown;
use isol_root::safety::{self, Runner};
use serde_json::json;

use super::build::who;
use super::{FOUND, absolute, text};
use crate::arguments::RootDiagnose;
use crate::output;

const STEP: &str = "root-diagnose";

pub(super) fn diagnose(arguments: &RootDiagnose) -> Result<ExitCode, Problem> {
    let dir = absolute(&arguments.dir, STEP)?;
    let ids = arguments.user.as_deref().map(who).transpose()?.map(|(ids, _)| ids);
    let checked = safety::check_parents(&dir).map_err(|error| isol::root_refusal(&error))?;
    let path = checked.path().to_owned();
    let tree = Sysroot::from_fd(checked.into_fd(), &path)
        .map_err(|error| Problem::new(STEP, error.to_string(), ""))?;
    let runner = ids.as_ref().map(|ids| Runner { uid: ids.uid, gid: ids.gid, groups: &ids.groups });
    let found = diagnose::diagnose(&tree, &arguments.program, runner);
    if arguments.json {
        let one = |finding: &Finding| {
            json!({
                "what": finding.what.name(),
                "path": text(&finding.path),
                "why": finding.why,
                "mend": finding.mend,
            })
        };
        output::print_json(&json!({
            "root": text(&path),
            "program": text(&arguments.program),
            "findings": found.iter().map(one).collect::<Vec<_>>(),
        }))?;
    } else {
        output::print(found.iter().map(line).collect::<String>())?;
    }
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

fn line(finding: &Finding) -> String {
    let mend = finding.mend.as_ref().map(|mend| format!("; mend: {mend}")).unwrap_or_default();
    format!("{}: {}{mend}\n", finding.what, shown(&finding.why))
}
