//! `state-reset`: what the caller was, and the program must not be.

use isol_core::{Guarantee, Os};
use isol_sys::attempts::{self as sys, Ring};
use isol_sys::privileges;

use crate::agent::KEY;
use crate::attack::{message, raw};
use crate::taint::SESSION_KEY;
use crate::{Attack, Breach, Probe, Seen};

const NOTHING: Breach = Breach::Unless(|_| "none".into());

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::StateReset,
    attacks: &[
        Attack::new("umask", |_| number(sys::umask()), Breach::Unless(|e| e.umask.to_string())),
        Attack::new("blocked-signals", |_| Seen::of(sys::blocked(), list), NOTHING),
        Attack::new("ignored-signals", |_| Seen::of(sys::ignored(), ignored), NOTHING),
        Attack::new("timers", |i| number(i.begun.armed), Breach::Unless(|_| "false".into())),
        Attack::new("nice-value", |_| number(sys::nice()), Breach::Unless(|_| "0".into())),
        Attack::new("policy", |_| number(sys::scheduling_policy()), Breach::Unless(|_| "0".into()))
            .only_on(Os::Linux),
        Attack::new("affinity", |_| affinity(), Breach::Anything).only_on(Os::Linux),
        Attack::new("io-priority", |_| number(sys::io_priority()), Breach::Unless(|_| "0".into()))
            .only_on(Os::Linux),
        Attack::new("execution-domain", |_| domain(), Breach::Unless(|_| "0x0".into()))
            .only_on(Os::Linux),
        Attack::new(
            "parent-death-signal",
            |i| number(i.begun.parent_death_signal),
            Breach::Unless(|e| e.parent_death_signal.to_string()),
        ),
        Attack::new(
            "working-directory",
            |_| workdir(),
            Breach::Unless(|e| e.workdir.display().to_string()),
        ),
        Attack::new(
            "traceable",
            |_| number(privileges::tracing_is_stopped()),
            Breach::Unless(|_| "true".into()),
        ),
        Attack::new("session-keyring", |_| keyring(), Breach::When(|_, got| got == SESSION_KEY))
            .only_on(Os::Linux),
        Attack::new("out-of-memory-score", |_| score(), Breach::Anything)
            .only_on(Os::Linux)
            .exempt("where nobody has CAP_SYS_RESOURCE, nobody can lower it"),
    ],
    traps: &[],
};

fn number<T: ToString>(answer: Result<T, isol_core::Errno>) -> Seen {
    Seen::of(answer, |value| value.to_string())
}

fn list(numbers: Vec<i32>) -> String {
    if numbers.is_empty() {
        return "none".into();
    }
    numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(" ")
}

/// Rust's own runtime ignores `SIGPIPE` before `main` begins.
fn ignored(mut numbers: Vec<i32>) -> String {
    const SIGPIPE: i32 = 13;
    numbers.retain(|&signal| signal != SIGPIPE);
    list(numbers)
}

/// The caller has put itself on the first of several processors.
fn affinity() -> Seen {
    let several =
        std::fs::read_to_string("/sys/devices/system/cpu/online").map(|s| s.trim() != "0");
    match (sys::affinity(), several) {
        (Ok(all), _) if all.len() > 1 => Seen::Refused(format!("{} processors", all.len())),
        (Ok(_), Ok(false)) => Seen::NotHere("there is one processor".into()),
        (Ok(_), _) => Seen::Got("it is on one processor".into()),
        (Err(errno), _) => Seen::of::<()>(Err(errno), |()| String::new()),
    }
}

fn domain() -> Seen {
    Seen::of(sys::execution_domain(), |domain| format!("{domain:#x}"))
}

fn workdir() -> Seen {
    match std::env::current_dir() {
        Ok(path) => Seen::Got(path.display().to_string()),
        Err(error) => Seen::Refused(message(&error)),
    }
}

fn keyring() -> Seen {
    Seen::of(sys::read_key(Ring::Session, &raw(KEY)), |text| {
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// Who lowers it is the last one that the kernel kills.
fn score() -> Seen {
    match std::fs::write("/proc/self/oom_score_adj", "-500") {
        Ok(()) => Seen::Got("it was lowered".into()),
        Err(error) => Seen::Refused(message(&error)),
    }
}
