//! `isol root audit`

mod out;
mod progress;

use std::process::ExitCode;
use std::sync::atomic::AtomicU64;

use isol::{Identity, Problem, Profile};
use isol_root::Sysroot;
use isol_root::audit::{self, AuditError, Finding, Options, User};

use crate::arguments::RootAudit;
use out::Out;
use progress::Progress;

const STEP: &str = "root-audit";

pub(super) fn audit(arguments: &RootAudit) -> Result<ExitCode, Problem> {
    let dir = std::path::absolute(&arguments.dir)
        .map_err(|error| Problem::io(STEP, "can't tell where this is", &error))?;
    let mut options = Options::default();
    options.devices.clone_from(&arguments.device);
    options.user = arguments.user.as_deref().map(user).transpose()?;
    options.files_outside = arguments.host_files;
    options.across_mounts = arguments.cross_mounts;

    let looked_at = AtomicU64::new(0);
    let mut out = Out::new(arguments);
    let done = Progress::shown(&looked_at, || {
        let mut found = |finding: Finding| {
            if !arguments.ignore.contains(&finding.what) {
                out.found(finding);
            }
        };
        audit::audit(&dir, &options, &looked_at, &mut found)
    });
    done.map_err(|error| problem(&error))?;
    out.end(looked_at.into_inner())
}

fn user(text: &str) -> Result<User, Problem> {
    // Any root will do: who the user is does not hang on it.
    let profile =
        Profile { root: Some("/srv".into()), user: Some(text.to_owned()), ..Profile::default() };
    let policy = profile.policy().map_err(|error| error.problem())?;
    match isol::host::identity(&policy).map_err(|error| error.problem())? {
        Identity::Fixed(ids) => User::new(ids.uid, ids.gid)
            .map_err(|errno| Problem::call(STEP, format!("can't look {text} up"), errno)),
        _ => Err(Problem::new("usage", "an allotted uid has nothing to look at yet", "")
            .help("name a user: --user NAME")),
    }
}

fn problem(error: &AuditError) -> Problem {
    match error {
        AuditError::Root(error) => {
            let mut problem = isol::root_refusal(error);
            problem.step = STEP.into();
            problem
        }
        _ => Problem::new(STEP, error.to_string(), ""),
    }
}

/// The tree, to mend something in it.
fn tree(arguments: &RootAudit) -> Result<Sysroot, Problem> {
    let dir = std::fs::canonicalize(&arguments.dir)
        .map_err(|error| Problem::io(STEP, "can't tell where the root is", &error))?;
    Sysroot::open(&dir).map_err(|error| Problem::new(STEP, error.to_string(), ""))
}
