//! `uid-dedicated`: somebody else under the uid.

use std::io;

use isol_core::{Guarantee, step_names};

use crate::baits::Victim;
use crate::caller::ordinary;
use crate::scenario::Scenario;
use crate::trap::{Laid, Trap};
use crate::{Attack, Breach, Inside, Probe, Seen, Site};

const STEP: &[&str] = &[step_names::DEDICATED_UID];

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::UidDedicated,
    attacks: &[Attack::new("root-s-uid", root_s_uid, Breach::Anything)],
    traps: &[
        Trap::new("process-outside", STEP, process_outside),
        Trap::new("second-run", STEP, second_run).holds_a_run(),
    ],
};

/// The uid that runs most of the host.
fn root_s_uid(_inside: &Inside<'_>) -> Seen {
    match isol_sys::ids::effective_uid() {
        0 => Seen::Got("it runs as uid 0, as others do".into()),
        uid => Seen::Refused(format!("it runs as uid {uid}")),
    }
}

fn process_outside(site: &Site, _scenario: &mut Scenario) -> io::Result<Laid> {
    if ordinary().is_some() {
        return Ok(Laid::not_here("an ordinary user has no process under another uid"));
    }
    let victim = Victim::start(site.executable(), site.uid())?;
    Ok(Laid::undone_by(move || drop(victim)))
}

/// The first run is held by whoever lays the trap.
fn second_run(_site: &Site, _scenario: &mut Scenario) -> io::Result<Laid> {
    Ok(Laid::nothing())
}
