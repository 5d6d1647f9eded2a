//! `isol root diagnose`
use crate::arguments::RootDiagnose;
use isol::Problem;
use std::process::ExitCode;
pub(super) fn diagnose(arguments: &RootDiagnose) -> Result<ExitCode, Problem> {
    let _ = (&arguments.dir, &arguments.program, &arguments.user);
    Err(Problem::new("root-diagnose", "not yet", ""))
}
