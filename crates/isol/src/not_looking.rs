//! Built without the crate that looks into root trees.

use isol_core::{Allow, Guarantee, Mode, PlanError, Request, Root};
use isol_steps::Preparations;
use isol_sys::state::Lock;

pub(crate) fn preparations(
    request: &Request<'_>,
    _as_caller: bool,
) -> Result<Preparations, PlanError> {
    let cant = |what: &str, help: &str| PlanError::CantHonour {
        backend: "isol",
        what: what.to_owned(),
        reason: "it was built without its feature `root`".to_owned(),
        help: Some(help.to_owned()),
    };
    if matches!(request.policy.root, Root::ThrowAway { .. }) {
        return Err(cant("a throw-away root", "name a root"));
    }
    if request.policy.require.contains(Guarantee::RootClean) {
        return Err(cant("a walk of the whole tree", "leave root-clean out"));
    }
    if request.mode != Mode::Enter && !request.policy.allow.contains(Allow::UncheckedProgram) {
        return Err(cant(
            "a check of the program and of what it loads",
            "allow the unchecked program",
        ));
    }
    Ok(Preparations::default())
}

pub(crate) fn sweep_roots(_each_other: impl FnMut(&Lock) -> bool) -> bool {
    false
}
