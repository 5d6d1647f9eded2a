//! `signals-confined`: what can be done to a process outside that has the same uid.

use std::os::fd::AsRawFd;

use isol_core::{Errno, Guarantee, Os};
use isol_sys::attempts as sys;

use super::root_confined::read_at;
use crate::agent::VICTIM_TEXT;
use crate::{Attack, Breach, Expected, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::SignalsConfined,
    attacks: &[
        Attack::new("signal", |i| done(sys::signal(i.brief.victim, 0)), Breach::Anything),
        Attack::new("renice", |i| done(sys::renice(i.brief.victim, 10)), Breach::Anything),
        Attack::new("trace", |i| done(sys::trace(i.brief.victim)), Breach::Anything),
        Attack::new("read-memory", memory, Breach::When(|_, got| got == VICTIM_TEXT))
            .only_on(Os::Linux),
        Attack::new("take-a-descriptor", steal, Breach::When(is_secret)).only_on(Os::Linux),
        Attack::new("affinity", |i| done(sys::set_affinity_of(i.brief.victim)), Breach::Anything)
            .only_on(Os::Linux),
        Attack::new("limits", |i| done(sys::limit_of(i.brief.victim)), Breach::Anything)
            .only_on(Os::Linux),
    ],
    traps: &[],
};

fn is_secret(expected: &Expected, got: &str) -> bool {
    got.contains(&expected.secret)
}

fn done(answer: Result<(), Errno>) -> Seen {
    Seen::of(answer, |()| "it was done to a process outside".into())
}

fn memory(inside: &Inside<'_>) -> Seen {
    let (address, length) = inside.brief.victim_memory;
    Seen::of(sys::read_memory(inside.brief.victim, address, length), |bytes| {
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A directory that it has open is a way out of the root.
fn steal(inside: &Inside<'_>) -> Seen {
    let stolen = sys::pidfd(inside.brief.victim).and_then(|victim| {
        sys::steal_descriptor(victim.as_raw_fd(), inside.brief.victim_descriptor)
    });
    match stolen {
        Ok(directory) => {
            let secret = &inside.brief.secret;
            read_at(directory.as_raw_fd(), secret.strip_prefix("/").unwrap_or(secret))
        }
        Err(errno) => Seen::of::<()>(Err(errno), |()| String::new()),
    }
}
