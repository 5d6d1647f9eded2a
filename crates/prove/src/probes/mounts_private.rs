//! `mounts-private`: mounts of the host's, and mounts that come later.

use isol_core::{Guarantee, Os};
use isol_sys::attempts as sys;

use crate::attack::read;
use crate::brief::Want;
use crate::site::LATE;
use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::MountsPrivate,
    attacks: &[
        Attack::new("list", list, Breach::Anything),
        // On FreeBSD and macOS there is one table of mounts, and a jail sees its part of it: what
        // root mounts in a jail's directory is the jail's by intent.
        Attack::new("mounted-later", later, Breach::When(|_, got| got == LATE)).only_on(Os::Linux),
    ],
    traps: &[],
};

fn list(inside: &Inside<'_>) -> Seen {
    match sys::mounts() {
        Ok(all) => {
            let outside = inside.brief.mount_point.display().to_string();
            match all.iter().find(|mount| !outside.is_empty() && **mount == outside) {
                Some(mount) => Seen::Got(format!("{mount} of {} mounts", all.len())),
                None => Seen::Refused(format!("{} mounts, none from outside", all.len())),
            }
        }
        Err(errno) => Seen::of::<()>(Err(errno), |()| String::new()),
    }
}

fn later(inside: &Inside<'_>) -> Seen {
    let done = inside.ask(Want::Mount);
    if done != "done" {
        return Seen::NotHere(done);
    }
    read(inside.at("/mnt/late"))
}
