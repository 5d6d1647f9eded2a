//! `descriptors-closed`: what is open that nobody asked for.

use isol_core::{Guarantee, Os};
use isol_sys::attempts::{self as sys, Kind};

use crate::attack::read;
use crate::site::WRITTEN;
use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::DescriptorsClosed,
    attacks: &[
        Attack::new("inherited", inherited, Breach::Unless(|_| "none".into())),
        Attack::new("directories", directories, Breach::Unless(|_| "none".into())),
        Attack::new("standard", standard, Breach::Unless(|_| "0 1 2".into())),
        Attack::new("reopened", reopened, Breach::When(|_, got| got.contains(WRITTEN)))
            .only_on(Os::Linux),
    ],
    traps: &[],
};

fn list(open: impl Iterator<Item = (i32, Kind)>) -> Seen {
    let found: Vec<_> = open.map(|(fd, kind)| format!("{fd} ({kind:?})")).collect();
    Seen::Got(if found.is_empty() { "none".into() } else { found.join(" ") })
}

fn inherited(inside: &Inside<'_>) -> Seen {
    let passed = &inside.brief.passed;
    list(inside.begun.opened.iter().copied().filter(|(fd, _)| *fd > 2 && !passed.contains(fd)))
}

fn directories(inside: &Inside<'_>) -> Seen {
    list(inside.begun.opened.iter().copied().filter(|(_, kind)| *kind == Kind::Directory))
}

fn standard(inside: &Inside<'_>) -> Seen {
    let open: Vec<_> = inside
        .begun
        .opened
        .iter()
        .filter(|(fd, _)| *fd < 3)
        .map(|(fd, _)| fd.to_string())
        .collect();
    Seen::Got(open.join(" "))
}

/// The caller's standard output can be written only; its name in /proc opens it anew.
fn reopened(_inside: &Inside<'_>) -> Seen {
    if sys::access_mode(1) != Ok(1) {
        return Seen::NotHere("standard output is not one that can only be written".into());
    }
    let names = ["/proc/self/fd/1", "/dev/fd/1", "/dev/stdout"];
    Seen::first(names.iter().map(|name| ((*name).to_owned(), read(name))))
}
