//! `gid-dropped`: ways to another gid.

use isol_core::{Errno, Guarantee, Os};
use isol_sys::attempts as sys;

use crate::{Attack, Breach, Expected, Probe, Seen, Setting};

const IDS: Breach = Breach::Unless(|expected| Expected::three(expected.gid));

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::GidDropped,
    attacks: &[
        Attack::new("ids", |_| ids(), IDS),
        Attack::new("named-in-the-root", |_| not_root(), Breach::Anything).setting(Setting::Named),
        Attack::new("setgid", |_| gained(sys::setgid(0)), Breach::Anything),
        Attack::new("setegid", |_| gained(sys::setegid(0)), Breach::Anything),
        Attack::new("setregid", |_| gained(sys::setregid(0, 0)), Breach::Anything),
        Attack::new("setresgid", |_| gained(sys::setresgid(0, 0, 0)), Breach::Anything),
        Attack::new("saved-gid", |_| gained(sys::setresgid(KEEP, KEEP, 0)), Breach::Anything),
        Attack::new("setfsgid", |_| file_system_gid(), Breach::Anything).only_on(Os::Linux),
        Attack::new("another-gid", |_| gained(sys::setgid(1)), Breach::Anything),
    ],
    traps: &[],
};

/// No change.
const KEEP: u32 = u32::MAX;

fn ids() -> Seen {
    let [real, effective, saved] = sys::ids().gids;
    Seen::Got(format!("{real} {effective} {saved}"))
}

fn not_root() -> Seen {
    let gids = sys::ids().gids;
    if gids.contains(&0) {
        Seen::Got(format!("the gids are {gids:?}"))
    } else {
        Seen::Refused(format!("the gids are {gids:?}"))
    }
}

fn gained(answer: Result<(), Errno>) -> Seen {
    Seen::of(answer, |()| format!("the gids are {:?}", sys::ids().gids))
}

fn file_system_gid() -> Seen {
    match sys::setfsgid(0).and_then(|_| sys::setfsgid(0)) {
        Ok(0) => Seen::Got("the file system gid is 0".into()),
        Ok(now) => Seen::Refused(format!("it stays {now}")),
        Err(errno) => Seen::of::<()>(Err(errno), |()| String::new()),
    }
}
