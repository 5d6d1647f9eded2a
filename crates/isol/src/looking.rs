//! The steps that look into root trees, and the one that makes one.

mod program;
mod root_clean;
mod throw_away;

use isol_core::{Guarantee, Mode, PlanError, Request, Root};
use isol_steps::Preparations;
use isol_sys::state::{Lock, StateDir};

use program::ProgramInRoot;
use root_clean::RootClean;
use throw_away::ThrowAwayRoot;

pub(crate) fn preparations(request: &Request<'_>) -> Result<Preparations, PlanError> {
    let mut preparations = Preparations::default();
    if let Root::ThrowAway { add } = &request.policy.root {
        if request.mode != Mode::Spawn {
            return Err(PlanError::CantHonour {
                backend: "isol",
                what: "a throw-away root".into(),
                reason: format!(
                    "somebody has to outlive the program to remove it, and the mode is {}",
                    request.mode
                ),
                help: Some("name a root, or spawn the program".into()),
            });
        }
        preparations.before_root.push(Box::new(ThrowAwayRoot::new(add.clone())));
    }
    if request.mode != Mode::Enter {
        preparations.in_root.push(Box::new(ProgramInRoot));
    }
    let by_construction = matches!(request.policy.root, Root::ThrowAway { .. });
    if request.policy.require.contains(Guarantee::RootClean) && !by_construction {
        preparations.in_root.push(Box::new(RootClean));
    }
    Ok(preparations)
}

/// Removes what dead runs have left; `each_other` sees to the locks that are not of roots.
pub(crate) fn sweep_roots(mut each_other: impl FnMut(&Lock) -> bool) {
    for state in StateDir::existing() {
        // What can't be removed now is tried again by the next run.
        let _ = isol_root::sweep(&state, &mut each_other);
    }
}
