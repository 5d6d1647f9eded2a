//! `limits-set`: limits that are not those of the policy.

use isol_core::{Errno, Guarantee};
use isol_sys::attempts as sys;
use nix::sys::signal::{Signal, raise};

use crate::{Attack, Breach, Expected, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::LimitsSet,
    attacks: &[
        Attack::new("named", named, Breach::When(differ)),
        Attack::new("raise", |_| raise_hard(), Breach::Anything)
            .exempt("where nobody has CAP_SYS_RESOURCE, nobody can raise a hard limit"),
        Attack::new("core-dump", |_| dump(), Breach::Anything),
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

/// A process that ends by a signal which would leave a core file.
fn dump() -> Seen {
    let ended = sys::in_a_child(std::time::Duration::from_secs(5), &mut || {
        let _ = std::env::set_current_dir("/tmp");
        let _ = raise(Signal::SIGSEGV);
        let _ = raise(Signal::SIGABRT);
        Vec::new()
    });
    match ended {
        Ok(ended) if ended.core => Seen::Got("core dumped".into()),
        Ok(_) => Seen::Refused("no core was dumped".into()),
        Err(error) => {
            Seen::of::<()>(Err(Errno(error.raw_os_error().unwrap_or(0))), |()| String::new())
        }
    }
}
