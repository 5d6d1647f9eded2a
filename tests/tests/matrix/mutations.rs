//! Each step left out in turn: it has to be missed.

use isol::step_names as names;
use isol_prove::mutations;
use libtest_mimic::{Failed, Trial};

use crate::trial;

/// What has to catch the absence of some steps, as a check of the check.
const CAUGHT_BY: &[(&str, &str)] = &[
    (names::GROUPS, "groups-exact"),
    (names::DESCRIPTORS, "descriptors-closed"),
    (names::DESCRIPTORS, "root-confined"),
    (names::CHROOT, "root-confined"),
    (names::CHANGE_DIRECTORY, "root-confined"),
    // fchdir(2) and chroot(".") have left it in the root: it is only not where it was asked for.
    (names::WORKING_DIRECTORY, "state-reset"),
    (names::UID, "uid-dropped"),
    (names::GID, "gid-dropped"),
    (names::ENVIRONMENT, "environment-clean"),
    (names::SESSION, "session-detached"),
    (names::LIMITS, "limits-set"),
    (names::DEDICATED_UID, "uid-dedicated"),
    (names::PROGRAM, "root-safe"),
    (names::ROOT_CLEAN, "root-clean"),
    (names::SYSLOG, "syslog-works"),
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for &backend in isol::backends() {
        if backend.plans_for(isol::host::HOST) != isol::host::HOST {
            continue;
        }
        let name = format!("mutations::{}", backend.name());
        trials.push(trial(name, move |site| {
            let steps = mutations::steps(site, backend, &isol_prove::matrix::MODES)
                .map_err(|p| p.to_string())?;
            if steps.len() < 20 {
                return Err(format!("there are more steps than {steps:?}").into());
            }
            steps.into_iter().try_for_each(|step| {
                let found = mutations::mutate(site, backend, step).map_err(|p| p.to_string())?;
                judge(&found)
            })
        }));
    }
    trials
}

fn judge(mutation: &mutations::Mutation) -> Result<(), Failed> {
    if !mutation.is_missed() {
        return Err(format!("nobody has noticed: {mutation:#?}").into());
    }
    for (step, guarantee) in CAUGHT_BY.iter().filter(|(step, _)| *step == mutation.step) {
        if !mutation.caught_by.iter().any(|caught| caught.guarantee.id() == *guarantee) {
            return Err(format!("{step} is not missed by {guarantee}: {mutation:#?}").into());
        }
    }
    Ok(())
}
