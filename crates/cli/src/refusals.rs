//! `-v`: the system calls that the program was refused, by name.

use std::collections::BTreeSet;

use isol::seccomp::{RULES, Rule};
use isol::{Refusals, Told};

use crate::output;

/// Tells of each call once, until nobody is left to make one.
pub(crate) fn tell(refusals: Refusals) {
    let mut told = BTreeSet::new();
    // Without a listener every refused call is answered ENOSYS: what can't be told is still refused.
    for refused in refusals.map_while(Result::ok) {
        if told.insert((refused.foreign, refused.number)) || refused.killed {
            output::remark(format_args!("refused: {}", words(&refused)));
        }
    }
}

fn words(told: &Told) -> String {
    let Told { call, number, foreign, killed } = *told;
    let mut words = match call {
        Some(name) => format!("{name}(2)"),
        None => format!("system call {number}"),
    };
    if foreign {
        words.push_str(" of another architecture");
    }
    if killed {
        words.push_str(", for which the filter ends the program");
    }
    let names = |rule: &&Rule| rule.refuses.iter().any(|r| Some(r.call) == call);
    if let Some(rule) = RULES.iter().find(names).filter(|_| !killed) {
        words
            .push_str(&format!(" ({}; --seccomp default+{} lets it through)", rule.why, rule.name));
    }
    words
}
