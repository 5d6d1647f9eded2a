//! `no-privilege-gain`: programs with set-id bits and with capabilities.

use std::path::Path;
use std::process::{Command, Stdio};

use isol_core::{Guarantee, Os};
use isol_sys::{jail, privileges};

use crate::agent::{IDENTIFY, WORD};
use crate::attack::message;
use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::NoPrivilegeGain,
    attacks: &[
        Attack::new("set-uid-root", |i| run(i, "/opt/set-uid-root"), Breach::Anything),
        Attack::new("set-uid-another", |i| run(i, "/opt/set-uid-other"), Breach::Anything),
        Attack::new("set-gid", |i| run(i, "/opt/set-gid-other"), Breach::Anything),
        Attack::new("file-capabilities", |i| run(i, "/opt/file-capabilities"), Breach::Anything)
            .only_on(Os::Linux),
        Attack::new("flag", flag, Breach::Unless(|_| "true".into())),
        // A second line, where there is a parent that can draw it.
        Attack::new("superuser", superuser, Breach::When(|expected, _| expected.superuser_off))
            .exempt("only a jail can be without one"),
    ],
    traps: &[],
};

/// What the planted program is, compared with what the same program is without a bit on it.
fn run(inside: &Inside<'_>, path: &str) -> Seen {
    if !inside.brief.planted.iter().any(|planted| planted == path) {
        return Seen::NotHere("it could not be planted here".into());
    }
    let plain = match identity(&inside.at_executable()) {
        Ok(plain) => plain,
        Err(why) => return Seen::NotHere(format!("no program can be executed here: {why}")),
    };
    match identity(&inside.at(path)) {
        Ok(said) if said == plain => Seen::Refused(format!("it gains nothing: {said}")),
        Ok(said) => Seen::Got(format!("{plain} became {said}")),
        Err(why) => Seen::Refused(why),
    }
}

fn identity(program: &Path) -> Result<String, String> {
    let ran = Command::new(program)
        .args([WORD, IDENTIFY])
        // A root need not have a /dev/null.
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| format!("it can't be executed: {}", message(&error)))?;
    match String::from_utf8_lossy(&ran.stdout).trim() {
        "" => Err("it says nothing".into()),
        said => Ok(said.to_owned()),
    }
}

fn superuser(_inside: &Inside<'_>) -> Seen {
    match jail::control(c"security.bsd.suser_enabled") {
        Some(0) => Seen::Refused("uid 0 would be no superuser".into()),
        Some(_) => Seen::Got("uid 0 would be the superuser".into()),
        None => Seen::of::<()>(Err(isol_sys::errno::NOT_HERE), |()| String::new()),
    }
}

fn flag(_inside: &Inside<'_>) -> Seen {
    Seen::of(privileges::has_no_new_privileges(), |set| set.to_string())
}
