//! Guarantee × backend × mode, and the controls.

use isol::Guarantee;
use isol_prove::{Verdict, controls, matrix};
use libtest_mimic::{Failed, Trial};

use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for &backend in isol::backends() {
        // What can't be run here has no cells here.
        if backend.plans_for(isol::host::HOST) != isol::host::HOST {
            continue;
        }
        for mode in matrix::MODES {
            for guarantee in Guarantee::ALL {
                let name = format!("{}::{mode}::{guarantee}", backend.name());
                trials.push(trial(name, move |site| {
                    let rows = matrix::rows(site, backend, mode, &[guarantee], &[])
                        .map_err(|problem| problem.to_string())?;
                    let offered = matrix::support(backend, mode, guarantee).is_offered();
                    rows.iter().try_for_each(|row| judge(row, offered))
                }));
            }
        }
    }
    for guarantee in Guarantee::ALL {
        trials.push(trial(format!("controls::{guarantee}"), move |site| {
            let shown = controls::shown(site, &[guarantee]).map_err(|p| p.to_string())?;
            match shown.iter().find(|shown| !shown.is_alive()) {
                Some(dead) => Err(format!("{dead:#?}").into()),
                None => Ok(()),
            }
        }));
    }
    trials
}

fn judge(row: &isol_prove::Row, offered: bool) -> Result<(), Failed> {
    let wanted = if offered { Verdict::Held } else { Verdict::NotOffered };
    if row.verdict == wanted && !row.claims_too_little {
        Ok(())
    } else {
        Err(format!("{row:#?}").into())
    }
}
