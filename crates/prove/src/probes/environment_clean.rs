//! `environment-clean`: variables that nobody asked for.

use isol_core::Guarantee;

use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::EnvironmentClean,
    attacks: &[
        Attack::new("all", all, Breach::Unless(|expected| expected.environment.join(" "))),
        Attack::new("loader", loader, Breach::Anything),
    ],
    traps: &[],
};

fn variables() -> Vec<String> {
    let mut all: Vec<_> = std::env::vars_os()
        .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
        .collect();
    all.sort();
    all
}

fn all(_inside: &Inside<'_>) -> Seen {
    Seen::Got(variables().join(" "))
}

fn loader(_inside: &Inside<'_>) -> Seen {
    let found =
        std::env::vars_os().map(|(name, _)| name).find(|n| isol_core::is_loader_variable(n));
    match found {
        Some(name) => Seen::Got(format!("{} is set", name.to_string_lossy())),
        None => Seen::Refused("none of the loader's is set".into()),
    }
}
