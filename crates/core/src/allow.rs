//! The relaxations: each one explicit, visible in the plan, and paid for with a guarantee.

use std::fmt;
use std::str::FromStr;

use crate::{Guarantee as G, GuaranteeSet, nearest};

/// One relaxation, asked for with `--allow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Allow {
    /// Run as uid 0, without the superuser's powers, where the backend confines even that.
    RootUser,
    /// Have uid 0 keep what powers a superuser has inside: beside [`RootUser`](Self::RootUser).
    Superuser,
    /// Run with gid 0, or with it among the groups.
    RootGroup,
    /// Run under a uid that processes outside use too.
    SharedUid,
    /// Keep the controlling terminal.
    Terminal,
    /// Lock in a process that has other threads. On Linux some state is a thread's own.
    Threads,
    /// Keep the caller's nice value, scheduling policy and CPU affinity.
    Scheduling,
    /// Run a program of which nobody has looked whether others can write to it or to
    /// what it loads: only for builds without the crate that looks.
    UncheckedProgram,
    /// Stay among the host's processes, where the backend would keep the program from them: the program is then what
    /// was started, with no init above it and no parent of isol's outside.
    HostPids,
    /// Pass on variables that the loader or the C library obeys, such as `LD_PRELOAD`.
    LoaderEnvironment,
}

impl Allow {
    /// Every relaxation.
    pub const ALL: [Allow; 10] = [
        Allow::RootUser,
        Allow::Superuser,
        Allow::RootGroup,
        Allow::SharedUid,
        Allow::Terminal,
        Allow::Threads,
        Allow::Scheduling,
        Allow::UncheckedProgram,
        Allow::HostPids,
        Allow::LoaderEnvironment,
    ];

    /// The kebab-case name.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Allow::RootUser => "root-user",
            Allow::Superuser => "superuser",
            Allow::RootGroup => "root-group",
            Allow::SharedUid => "shared-uid",
            Allow::Terminal => "terminal",
            Allow::Threads => "threads",
            Allow::Scheduling => "scheduling",
            Allow::UncheckedProgram => "unchecked-program",
            Allow::HostPids => "host-pids",
            Allow::LoaderEnvironment => "loader-environment",
        }
    }

    /// The guarantees that it gives up.
    #[must_use]
    pub fn gives_up(self) -> GuaranteeSet {
        let given_up: &[G] = match self {
            // Root is not the only one of its uid.
            Allow::RootUser => &[G::UidDropped, G::GidDropped, G::UidDedicated],
            // A jail's superuser changes its root within it.
            Allow::Superuser => &[G::PrivilegesEmpty, G::NoNewRoot],
            Allow::RootGroup => &[G::GidDropped],
            Allow::SharedUid => &[G::UidDedicated],
            Allow::Terminal => &[G::SessionDetached],
            Allow::Threads => {
                &[G::PrivilegesEmpty, G::NoPrivilegeGain, G::NoNewRoot, G::StateReset]
            }
            Allow::Scheduling => &[G::StateReset],
            Allow::UncheckedProgram => &[G::RootSafe],
            Allow::HostPids => &[G::PidsHidden, G::SignalsConfined, G::RootHarmless],
            Allow::LoaderEnvironment => &[G::EnvironmentClean],
        };
        given_up.iter().copied().collect()
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// A name that is no relaxation's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing that can be allowed is called `{name}`")]
pub struct UnknownAllow {
    /// What was given.
    pub name: String,
    /// The nearest known name.
    pub nearest: Option<&'static str>,
}

impl FromStr for Allow {
    type Err = UnknownAllow;

    fn from_str(name: &str) -> Result<Self, UnknownAllow> {
        Self::ALL.into_iter().find(|a| a.id() == name).ok_or_else(|| UnknownAllow {
            name: name.to_owned(),
            nearest: nearest(name, Self::ALL.map(Self::id)),
        })
    }
}

/// The relaxations of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowSet(Vec<Allow>);

impl AllowSet {
    /// Adds one.
    pub fn insert(&mut self, allow: Allow) {
        if !self.contains(allow) {
            self.0.push(allow);
        }
    }

    /// Whether it is allowed.
    #[must_use]
    pub fn contains(&self, allow: Allow) -> bool {
        self.0.contains(&allow)
    }

    /// What is allowed.
    pub fn iter(&self) -> impl Iterator<Item = Allow> + '_ {
        self.0.iter().copied()
    }

    /// Every guarantee that is given up.
    #[must_use]
    pub fn gives_up(&self) -> GuaranteeSet {
        self.iter().fold(GuaranteeSet::EMPTY, |set, allow| set.union(allow.gives_up()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_relaxation_costs_something() {
        for allow in Allow::ALL {
            assert_eq!(allow.id().parse(), Ok(allow));
            assert!(!allow.gives_up().is_empty(), "{allow}");
        }
    }
}
