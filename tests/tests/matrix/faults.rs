//! Each step made to fail.

use isol_prove::faults;
use libtest_mimic::Trial;

use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for &backend in isol::backends() {
        if backend.plans_for(isol::host::HOST) != isol::host::HOST {
            continue;
        }
        trials.push(trial(format!("faults::{}", backend.name()), move |site| {
            let found = faults::all(site, backend).map_err(|problem| problem.to_string())?;
            for faults in &found {
                say(faults);
            }
            match found.iter().find(|faults| !faults.is_clean()) {
                Some(wrong) => Err(format!("{wrong:#?}").into()),
                None if found.len() < 3 => Err("a mode is missing".into()),
                None => Ok(()),
            }
        }));
    }
    trials
}

#[expect(clippy::print_stdout, reason = "the count is a result")]
fn say(faults: &faults::Faults) {
    println!(
        "{} {}: {} steps, {} faults: {} started, {} misnamed, {} left behind",
        faults.backend,
        faults.plan,
        faults.steps,
        faults.faults,
        faults.started.len(),
        faults.misnamed.len(),
        faults.leftovers.len()
    );
}
