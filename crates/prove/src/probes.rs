//! The attacks, one file for each guarantee.

mod bound;
mod descriptors_closed;
mod environment_clean;
mod gid_dropped;
mod groups_exact;
mod hostname_private;
mod ipc_private;
mod limits_set;
mod mounts_private;
mod needless_calls;
mod network_confined;
mod no_new_root;
mod no_privilege_gain;
mod pids_hidden;
mod privileges_empty;
mod root_clean;
mod root_confined;
mod root_harmless;
mod root_safe;
mod session_detached;
mod signals_confined;
mod state_reset;
mod syslog_works;
mod uid_dedicated;
mod uid_dropped;

use isol_core::Guarantee;

use crate::{Attack, Trap};

/// The attacks on one guarantee, and the traps that a run must refuse to walk into.
#[derive(Debug)]
pub struct Probe {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// What is tried from inside.
    pub attacks: &'static [Attack],
    /// What is laid outside, before the run.
    pub traps: &'static [Trap],
}

/// Every probe, in the order of [`Guarantee::ALL`].
pub const ALL: [&Probe; 23] = [
    &root_confined::PROBE,
    &descriptors_closed::PROBE,
    &uid_dropped::PROBE,
    &gid_dropped::PROBE,
    &groups_exact::PROBE,
    &privileges_empty::PROBE,
    &no_privilege_gain::PROBE,
    &no_new_root::PROBE,
    &root_safe::PROBE,
    &root_clean::PROBE,
    &uid_dedicated::PROBE,
    &environment_clean::PROBE,
    &session_detached::PROBE,
    &state_reset::PROBE,
    &limits_set::PROBE,
    &syslog_works::PROBE,
    &pids_hidden::PROBE,
    &signals_confined::PROBE,
    &ipc_private::PROBE,
    &network_confined::PROBE,
    &hostname_private::PROBE,
    &mounts_private::PROBE,
    &root_harmless::PROBE,
];

/// The probe of a guarantee.
#[must_use]
pub fn of(guarantee: Guarantee) -> &'static Probe {
    ALL[guarantee as usize]
}

/// An attack by its guarantee's name and its own.
pub(crate) fn attack(guarantee: &str, name: &str) -> Option<&'static Attack> {
    let probe = of(guarantee.parse().ok()?);
    probe.attacks.iter().find(|attack| attack.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guarantee_has_its_probe_and_every_attack_its_name() {
        for guarantee in Guarantee::ALL {
            let probe = of(guarantee);
            assert_eq!(probe.guarantee, guarantee);
            let mut names: Vec<_> = probe.attacks.iter().map(|a| a.name).collect();
            names.extend(probe.traps.iter().map(|t| t.name));
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert!(count > 0 && names.len() == count, "{guarantee}: {names:?}");
        }
    }
}
