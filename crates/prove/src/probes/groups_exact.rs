//! `groups-exact`: groups that nobody asked for.

use isol_core::Guarantee;
use isol_sys::attempts as sys;

use crate::{Attack, Breach, Expected, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::GroupsExact,
    attacks: &[
        Attack::new("list", list, Breach::Unless(wanted)),
        Attack::new("root-s-group", |_| set(&[0]), Breach::Anything),
        // A group can also be what keeps somebody out.
        Attack::new("no-group", |_| set(&[]), Breach::Anything),
    ],
    traps: &[],
};

/// Where the kernel counts the gid among the groups, it may be there too.
fn list(_inside: &Inside<'_>) -> Seen {
    let ids = sys::ids();
    let mut groups: Vec<_> = ids.groups.into_iter().filter(|g| *g != ids.gids[1]).collect();
    groups.sort_unstable();
    Seen::Got(words(&groups))
}

fn wanted(expected: &Expected) -> String {
    words(&expected.groups)
}

fn words(groups: &[u32]) -> String {
    groups.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

fn set(groups: &[u32]) -> Seen {
    Seen::of(sys::setgroups(groups), |()| format!("the groups are {:?}", sys::ids().groups))
}
