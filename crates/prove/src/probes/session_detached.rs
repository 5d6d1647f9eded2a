//! `session-detached`: the caller's terminal.

use std::os::fd::AsRawFd;

use isol_core::Guarantee;
use isol_sys::attempts as sys;

use crate::attack::message;
use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::SessionDetached,
    attacks: &[
        Attack::new("controlling-terminal", |_| controls(), Breach::Anything),
        Attack::new("dev-tty", |_| dev_tty(), Breach::Anything),
        Attack::new("type-into-it", |_| type_into(), Breach::Anything),
        Attack::new("take-it", |_| take(), Breach::Anything)
            .exempt("it is the caller's already, so that nobody takes it there"),
        Attack::new("caller-s-session", same_session, Breach::Anything),
    ],
    traps: &[],
};

const NO_TERMINAL: &str = "standard input is no terminal: none could be made";

fn is_terminal(fd: i32) -> bool {
    matches!(sys::kind_of(fd), Ok(sys::Kind::Terminal))
}

fn controls() -> Seen {
    match (0..3).find(|&fd| sys::controls(fd)) {
        Some(fd) => Seen::Got(format!("descriptor {fd} is the controlling terminal")),
        None if !is_terminal(0) => Seen::NotHere(NO_TERMINAL.into()),
        None => Seen::Refused("none of 0, 1 and 2 is".into()),
    }
}

fn dev_tty() -> Seen {
    match std::fs::File::options().read(true).write(true).open("/dev/tty") {
        Ok(_) => Seen::Got("/dev/tty can be opened".into()),
        Err(error) => Seen::Refused(message(&error)),
    }
}

/// A letter that whoever reads the terminal next would take for the user's.
fn type_into() -> Seen {
    if !is_terminal(0) {
        return Seen::NotHere(NO_TERMINAL.into());
    }
    let tty = std::fs::File::options().read(true).write(true).open("/dev/tty").ok();
    let fds = [0, 1, 2].into_iter().chain(tty.iter().map(AsRawFd::as_raw_fd));
    Seen::first(fds.map(|fd| {
        let typed = sys::type_into(fd, b'x');
        (format!("descriptor {fd}"), Seen::of(typed, |()| "a letter was typed".into()))
    }))
}

/// A session's leader without a terminal can take one that nobody has.
fn take() -> Seen {
    if !is_terminal(0) {
        return Seen::NotHere(NO_TERMINAL.into());
    }
    let _ = isol_sys::session::start();
    Seen::of(sys::take_terminal(0), |()| "the terminal was taken".into())
}

fn same_session(inside: &Inside<'_>) -> Seen {
    let same = nix::unistd::getsid(None).map(|sid| sid.as_raw() == inside.brief.caller_session);
    match same {
        Ok(true) => Seen::Got(format!("session {}", inside.brief.caller_session)),
        Ok(false) => Seen::Refused("another session".into()),
        Err(errno) => Seen::Refused(errno.desc().into()),
    }
}
