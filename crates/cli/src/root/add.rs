//! `isol root add`

use std::path::Path;
use std::process::ExitCode;

use isol::Problem;
use isol_root::add::{self, AddError};
use isol_root::{Sysroot, safety};

use crate::arguments::RootAdd;

pub(super) fn add(arguments: &RootAdd) -> Result<ExitCode, Problem> {
    let absolute = |path: &Path| {
        std::path::absolute(path)
            .map_err(|error| Problem::io("root-add", "can't tell where this is", &error))
    };
    let dir = absolute(&arguments.dir)?;
    let paths = arguments.paths.iter().map(|p| absolute(p)).collect::<Result<Vec<_>, _>>()?;
    let checked = safety::check_parents(&dir).map_err(|error| isol::root_refusal(&error))?;
    let path = checked.path().to_owned();
    let tree = Sysroot::from_fd(checked.into_fd(), &path)
        .map_err(|error| Problem::new("root-add", error.to_string(), ""))?;
    add::paths(&tree, &paths).map_err(|error| problem(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn problem(error: &AddError) -> Problem {
    match error {
        AddError::Io { source, .. } => {
            let problem = Problem::new("root-add", error.to_string(), "");
            Problem { errno: source.raw_os_error().map(isol::Errno), ..problem }
        }
        _ => Problem::new("root-add", error.to_string(), ""),
    }
}
