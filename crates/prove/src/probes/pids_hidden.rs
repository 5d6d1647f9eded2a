//! `pids-hidden`: whether a process outside can be seen.

use isol_core::{Guarantee, Os};
use isol_sys::attempts as sys;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::PidsHidden,
    attacks: &[
        Attack::new(
            "session-of-an-outsider",
            |i| Seen::of(sys::exists(i.brief.outsider), |()| "it is there".into()),
            Breach::Anything,
        ),
        // EPERM is an answer too: there is somebody.
        Attack::new("signal-an-outsider", signal, Breach::Anything),
        Attack::new(
            "descriptor-of-an-outsider",
            |i| Seen::of(sys::pidfd(i.brief.outsider), |_| "there is a descriptor for it".into()),
            Breach::Anything,
        )
        .only_on(Os::Linux),
        Attack::new("list", list, Breach::Anything),
    ],
    traps: &[],
};

fn signal(inside: &Inside<'_>) -> Seen {
    match kill(Pid::from_raw(inside.brief.outsider), None) {
        Ok(()) => Seen::Got("it can be signalled".into()),
        Err(Errno::EPERM) => Seen::Got("EPERM: it is there".into()),
        Err(errno) => Seen::Refused(errno.desc().into()),
    }
}

fn list(inside: &Inside<'_>) -> Seen {
    match sys::list() {
        Ok(pids) if pids.contains(&inside.brief.outsider) => {
            Seen::Got(format!("{} processes are listed", pids.len()))
        }
        Ok(pids) => {
            Seen::Refused(format!("{} processes are listed, none from outside", pids.len()))
        }
        Err(errno) => Seen::of::<()>(Err(errno), |()| String::new()),
    }
}
