//! `hostname-private`: the host's name, read and set.

use isol_core::Guarantee;
use isol_sys::attempts as sys;

use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::HostnamePrivate,
    attacks: &[
        Attack::new(
            "read",
            |_| Seen::of(sys::hostname(), |name| name),
            Breach::When(|expected, got| got == expected.hostname),
        ),
        Attack::new("set", set, Breach::Anything),
    ],
    traps: &[],
};

/// To what it is: nothing changes if it works.
fn set(inside: &Inside<'_>) -> Seen {
    Seen::of(sys::set_hostname(&inside.brief.hostname), |()| "the host's name was set".into())
}
