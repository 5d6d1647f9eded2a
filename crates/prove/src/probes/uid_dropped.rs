//! `uid-dropped`: ways to another uid.

use isol_core::{Errno, Guarantee, Os};
use isol_sys::attempts as sys;

use crate::attack::{message, read};
use crate::{Attack, Breach, Expected, Inside, Probe, Seen, Setting};

const IDS: Breach = Breach::Unless(|expected| Expected::three(expected.uid));

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::UidDropped,
    attacks: &[
        Attack::new("ids", |_| ids(), IDS),
        Attack::new("named-in-the-root", |_| ids(), IDS).setting(Setting::Named),
        Attack::new("setuid", |_| gained(sys::setuid(0)), Breach::Anything),
        Attack::new("seteuid", |_| gained(sys::seteuid(0)), Breach::Anything),
        Attack::new("setreuid", |_| gained(sys::setreuid(0, 0)), Breach::Anything),
        Attack::new("setresuid", |_| gained(sys::setresuid(0, 0, 0)), Breach::Anything),
        Attack::new("real-uid", |_| gained(sys::setresuid(0, KEEP, KEEP)), Breach::Anything),
        Attack::new("saved-uid", |_| gained(sys::setresuid(KEEP, KEEP, 0)), Breach::Anything),
        Attack::new("setfsuid", |_| file_system_uid(), Breach::Anything).only_on(Os::Linux),
        Attack::new("another-uid", |_| another(), Breach::Anything),
        Attack::new("root-s-file", root_s_file, Breach::Anything),
    ],
    traps: &[],
};

/// No change.
const KEEP: u32 = u32::MAX;

fn ids() -> Seen {
    let [real, effective, saved] = sys::ids().uids;
    Seen::Got(format!("{real} {effective} {saved}"))
}

fn gained(answer: Result<(), Errno>) -> Seen {
    Seen::of(answer, |()| format!("the uids are {:?}", sys::ids().uids))
}

fn file_system_uid() -> Seen {
    match sys::setfsuid(0).and_then(|_| sys::setfsuid(0)) {
        Ok(0) => Seen::Got("the file system uid is 0".into()),
        Ok(now) => Seen::Refused(format!("it stays {now}")),
        Err(errno) => Seen::of::<()>(Err(errno), |()| String::new()),
    }
}

/// Not root's, but not one's own either.
fn another() -> Seen {
    gained(sys::setuid(1))
}

/// Whatever the ids are: can a file of root's be read?
fn root_s_file(inside: &Inside<'_>) -> Seen {
    let path = inside.at("/opt/root-only");
    let _ = sys::setfsuid(0);
    match read(&path) {
        Seen::Refused(_) => match std::fs::File::options().append(true).open(path) {
            Ok(_) => Seen::Got("it can be written".into()),
            Err(error) => Seen::Refused(message(&error)),
        },
        other => other,
    }
}
