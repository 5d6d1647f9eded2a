//! The same as an ordinary user who has been given ids: this executable once more, as him.

use std::process::ExitCode;

use isol::{Guarantee, step_names as names};
use isol_prove::{Site, Verdict, faults, matrix, mutations};
use isol_tests::{OrdinaryUser, isol_path, run};
use libtest_mimic::{Failed, Trial};

/// Set for him.
const IS_ONE: &str = "ISOL_TEST_ORDINARY";
/// The steps that are there for the ids that he has been given.
const HIS: [&str; 3] = [names::USER_NAMESPACE, names::DEDICATED_UID, names::GROUPS];

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("ordinary-user::namespaces", || {
        if !OrdinaryUser::can_be() {
            return Ok(());
        }
        let (user, this) = (OrdinaryUser::new(), std::env::current_exe()?);
        let this = this.to_str().ok_or("a path that is text")?;
        let out = run(user.command(&[this]).env(IS_ONE, "1").env("ISOL_BIN", isol_path()));
        match out.status {
            Some(0) => Ok(()),
            _ => Err(format!("{out:#?}").into()),
        }
    })]
}

pub(crate) fn is_one() -> bool {
    std::env::var_os(IS_ONE).is_some()
}

/// What he sees, in one go: a site for each part would be made three times.
#[expect(clippy::print_stderr, reason = "the trial that has started this tells it")]
pub(crate) fn judge() -> ExitCode {
    match all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{}", failed.message().unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

fn all() -> Result<(), Failed> {
    let backend = isol::backend_by_name("namespaces").ok_or("it is built in everywhere")?;
    let site = Site::new(&isol_path()).map_err(|problem| problem.to_string())?;
    for mode in matrix::MODES {
        let offered = |&g: &Guarantee| matrix::support(backend, mode, g).is_offered();
        let guarantees: Vec<_> = Guarantee::ALL.into_iter().filter(offered).collect();
        if ![Guarantee::GroupsExact, Guarantee::UidDedicated].iter().all(|g| guarantees.contains(g))
        {
            return Err(format!("in mode {mode} not offered: {guarantees:?}").into());
        }
        let rows = matrix::rows(&site, backend, mode, &guarantees, &[]);
        let rows = rows.map_err(|problem| problem.to_string())?;
        if let Some(row) = rows.iter().find(|row| row.verdict != Verdict::Held) {
            return Err(format!("{row:#?}").into());
        }
    }
    for step in HIS {
        let found = mutations::mutate(&site, backend, step).map_err(|p| p.to_string())?;
        if !found.is_missed() {
            return Err(format!("nobody has noticed: {found:#?}").into());
        }
    }
    let found = faults::of_steps(&site, backend, &HIS).map_err(|problem| problem.to_string())?;
    match found.iter().find(|faults| !faults.is_clean()) {
        Some(wrong) => Err(format!("{wrong:#?}").into()),
        None if !found
            .iter()
            .any(|f| f.plan.contains("somebody given") && f.steps == HIS.len()) =>
        {
            Err(format!("a plan is missing: {found:#?}").into())
        }
        None => Ok(()),
    }
}
