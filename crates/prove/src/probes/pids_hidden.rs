//! `pids-hidden`: whether a process outside can be seen.

use std::io;
use std::path::Path;

use isol_core::{Guarantee, Os, step_names};
use isol_sys::attempts as sys;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::scenario::Scenario;
use crate::trap::{Laid, Trap};
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
    traps: &[
        Trap::new("bound-proc", &[step_names::MOUNT_SOURCES], |_, s| bound(s, "/proc")),
        Trap::new("bound-above-proc", &[step_names::MOUNT_SOURCES], |_, s| bound(s, "/")),
    ],
};

/// A directory of the host's with a proc file system in it.
fn bound(scenario: &mut Scenario, source: &str) -> io::Result<Laid> {
    let proc = std::fs::File::open("/proc");
    if !proc.is_ok_and(|proc| isol_sys::mount::is_proc(proc) == Ok(true)) {
        return Ok(Laid::not_here("this host has no proc file system"));
    }
    super::bound::bind(scenario, Path::new(source), Path::new("/mnt"), || ())
}

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
