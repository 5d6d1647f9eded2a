//! `isol root diagnose`
use std::process::ExitCode;
use isol::Problem;
use crate::arguments::RootDiagnose;
pub(super) fn diagnose(arguments: &RootDiagnose) -> Result<ExitCode, Problem> {
    let _ = (&arguments.dir, &arguments.program, &arguments.user);
    Err(Problem::new("root-diagnose", "not yet", ""))
}
