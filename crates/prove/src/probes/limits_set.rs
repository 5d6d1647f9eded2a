//! `limits-set`: limits that are not those of the policy.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use isol_core::Guarantee;
use isol_sys::attempts as sys;

use crate::agent::{CRASH, WORD};
use crate::attack::message;
use crate::{Attack, Breach, Expected, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::LimitsSet,
    attacks: &[
        Attack::new("named", named, Breach::When(differ)),
        Attack::new("raise", |_| raise_hard(), Breach::Anything)
            .exempt("where nobody has CAP_SYS_RESOURCE, nobody can raise a hard limit"),
        Attack::new("core-dump", dump, Breach::Anything),
    ],
    traps: &[],
};

fn named(_inside: &Inside<'_>) -> Seen {
    Seen::of(sys::limits(), |all| {
        all.iter().map(|(name, soft, hard)| one(name, *soft, *hard)).collect::<Vec<_>>().join(" ")
    })
}

fn one(name: &str, soft: u64, hard: u64) -> String {
    format!("{name}={soft}:{hard}")
}

/// The policy names some; the others are the caller's.
fn differ(expected: &Expected, got: &str) -> bool {
    let has = |limit: &str| got.split(' ').any(|found| found == limit);
    !expected.limits.iter().all(|(name, soft, hard)| has(&one(name, *soft, *hard)))
}

fn raise_hard() -> Seen {
    let all = match sys::limits() {
        Ok(all) => all,
        Err(errno) => return Seen::Refused(errno.message()),
    };
    let Some(&(name, soft, hard)) = all.iter().find(|(_, _, hard)| *hard != u64::MAX) else {
        return Seen::NotHere("every limit is unlimited".into());
    };
    Seen::of(sys::set_limit(name, soft, hard + 1), |()| format!("{name} was raised"))
}

/// A program that ends by a signal which would leave a core file. One that is executed: a process whose ids have
/// changed leaves none.
fn dump(inside: &Inside<'_>) -> Seen {
    if inside.brief.core_is_piped {
        return Seen::NotHere(
            "the host pipes core dumps to a program, which no limit binds".into(),
        );
    }
    let ended = Command::new(inside.at_executable())
        .args([WORD, CRASH])
        .current_dir(inside.at("/tmp"))
        .stdin(Stdio::piped())
        .status();
    match ended {
        Ok(status) if status.core_dumped() => Seen::Got("core dumped".into()),
        Ok(status) if status.signal().is_some() => Seen::Refused("no core was dumped".into()),
        Ok(status) => Seen::Lost(format!("it ended otherwise: {status}")),
        Err(error) => {
            Seen::NotHere(format!("no program can be executed here: {}", message(&error)))
        }
    }
}
