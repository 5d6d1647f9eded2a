//! The closed list of what isol promises.

use std::fmt;
use std::str::FromStr;

use crate::nearest;

/// One named promise.
///
/// The list is closed: what is not on it is not promised. The names are
/// kebab-case and the same in code, on the command line, in JSON and in the docs.
///
/// ```
/// use isol_core::{Guarantee, Tier};
/// let g: Guarantee = "groups-exact".parse().unwrap();
/// assert_eq!(g, Guarantee::GroupsExact);
/// assert_eq!(g.tier(), Tier::Base);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// No path reaches a file outside the root.
    RootConfined,
    /// Nothing but 0, 1, 2 and the descriptors passed by name is open.
    DescriptorsClosed,
    /// Real, effective and saved uid are the target's for good.
    UidDropped,
    /// Real, effective and saved gid are the target's for good.
    GidDropped,
    /// The supplementary groups are exactly those asked for.
    GroupsExact,
    /// No capability, no privilege beyond the uid's own.
    PrivilegesEmpty,
    /// Executing a set-id or file-capability program gains nothing.
    NoPrivilegeGain,
    /// A second chroot, jail, mount, mknod or user namespace fails.
    NoNewRoot,
    /// Nobody but root can change what will be executed or loaded.
    RootSafe,
    /// No set-id file, stray device or outside hard link in the root.
    RootClean,
    /// No process outside runs under the uid.
    UidDedicated,
    /// Only the environment variables asked for.
    EnvironmentClean,
    /// No controlling terminal is left.
    SessionDetached,
    /// Nothing of the caller's process state is inherited by accident.
    StateReset,
    /// The resource limits are as asked for.
    LimitsSet,
    /// A message to syslog from inside arrives, if asked for.
    SyslogWorks,
    /// No process outside is visible.
    PidsHidden,
    /// No process outside can be signalled, traced or renumbered.
    SignalsConfined,
    /// IPC objects are not shared with outside.
    IpcPrivate,
    /// Only the network addresses asked for are usable.
    NetworkConfined,
    /// A host name of its own.
    HostnamePrivate,
    /// Mounts of its own.
    MountsPrivate,
    /// Even uid 0 inside reaches nothing outside.
    RootHarmless,
}

/// How much a backend has to be able to do for a guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Holds on every backend, or the run is refused.
    Base,
    /// Holds where the kernel confines more than the file system: jail(2), namespaces.
    Strong,
}

use Guarantee as G;

impl Guarantee {
    /// Every guarantee, in the order in which they are printed.
    pub const ALL: [Guarantee; 23] = [
        G::RootConfined,
        G::DescriptorsClosed,
        G::UidDropped,
        G::GidDropped,
        G::GroupsExact,
        G::PrivilegesEmpty,
        G::NoPrivilegeGain,
        G::NoNewRoot,
        G::RootSafe,
        G::RootClean,
        G::UidDedicated,
        G::EnvironmentClean,
        G::SessionDetached,
        G::StateReset,
        G::LimitsSet,
        G::SyslogWorks,
        G::PidsHidden,
        G::SignalsConfined,
        G::IpcPrivate,
        G::NetworkConfined,
        G::HostnamePrivate,
        G::MountsPrivate,
        G::RootHarmless,
    ];

    /// The kebab-case name.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            G::RootConfined => "root-confined",
            G::DescriptorsClosed => "descriptors-closed",
            G::UidDropped => "uid-dropped",
            G::GidDropped => "gid-dropped",
            G::GroupsExact => "groups-exact",
            G::PrivilegesEmpty => "privileges-empty",
            G::NoPrivilegeGain => "no-privilege-gain",
            G::NoNewRoot => "no-new-root",
            G::RootSafe => "root-safe",
            G::RootClean => "root-clean",
            G::UidDedicated => "uid-dedicated",
            G::EnvironmentClean => "environment-clean",
            G::SessionDetached => "session-detached",
            G::StateReset => "state-reset",
            G::LimitsSet => "limits-set",
            G::SyslogWorks => "syslog-works",
            G::PidsHidden => "pids-hidden",
            G::SignalsConfined => "signals-confined",
            G::IpcPrivate => "ipc-private",
            G::NetworkConfined => "network-confined",
            G::HostnamePrivate => "hostname-private",
            G::MountsPrivate => "mounts-private",
            G::RootHarmless => "root-harmless",
        }
    }

    /// What holds when it holds, in one line.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            G::RootConfined => {
                "no path (absolute, `..`, symlink, cwd, descriptor) reaches a file outside the root"
            }
            G::DescriptorsClosed => {
                "only 0, 1, 2 and the descriptors passed by name are open; 0-2 always are, and no directory from outside is"
            }
            G::UidDropped => {
                "real, effective and saved uid are the target's, not 0, and no call gets another back"
            }
            G::GidDropped => {
                "real, effective and saved gid are the target's, not 0, and no call gets another back"
            }
            G::GroupsExact => "the supplementary groups are exactly those asked for",
            G::PrivilegesEmpty => {
                "all five capability sets empty and securebits locked on Linux; elsewhere no privilege beyond the uid's own"
            }
            G::NoPrivilegeGain => {
                "executing a set-uid, set-gid or file-capability program gains nothing"
            }
            G::NoNewRoot => "a second chroot, jail, mount, mknod or user namespace fails",
            G::RootSafe => {
                "nobody but root can write to the root directory, to any above it, or to what will be executed or loaded"
            }
            G::RootClean => {
                "no set-id file, device beyond those asked for, or outside hard-linked writable file in the root"
            }
            G::UidDedicated => "no process outside runs under the uid",
            G::EnvironmentClean => {
                "only the variables asked for; never LD_*, DYLD_*, MALLOC_* and the like"
            }
            G::SessionDetached => "no controlling terminal is left to inject input into",
            G::StateReset => {
                "umask, signal mask and dispositions, timers, nice and parent-death signal are as asked for"
            }
            G::LimitsSet => "the resource limits are as asked for; core dumps off unless asked for",
            G::SyslogWorks => "a message sent to syslog from inside arrives, if asked for",
            G::PidsHidden => "no process outside is visible",
            G::SignalsConfined => {
                "no process outside, the same uid's included, can be signalled, traced or renumbered"
            }
            G::IpcPrivate => {
                "System V and POSIX IPC and abstract sockets are not shared with outside"
            }
            G::NetworkConfined => "only the addresses asked for, or none, are usable",
            G::HostnamePrivate => "a host name of its own, and setting it does not reach outside",
            G::MountsPrivate => "mounts of its own; none of the outside's are visible",
            G::RootHarmless => "even uid 0 inside reaches nothing outside",
        }
    }

    /// Whether every backend holds it or only those of jail strength.
    #[must_use]
    pub const fn tier(self) -> Tier {
        if (self as u8) < (G::PidsHidden as u8) { Tier::Base } else { Tier::Strong }
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// A name that is no guarantee's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no guarantee is called `{name}`; `isol backends` shows all")]
pub struct UnknownGuarantee {
    /// What was given.
    pub name: String,
    /// The known name that is nearest to it.
    pub nearest: Option<&'static str>,
}

impl FromStr for Guarantee {
    type Err = UnknownGuarantee;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|g| g.id() == name).ok_or_else(|| UnknownGuarantee {
            name: name.to_owned(),
            nearest: nearest(name, Self::ALL.map(Self::id)),
        })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Guarantee {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.id())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Guarantee {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_to_its_guarantee() {
        for g in Guarantee::ALL {
            assert_eq!(g.id().parse(), Ok(g));
            assert!(!g.meaning().is_empty());
        }
    }

    #[test]
    fn sixteen_are_base_and_seven_are_strong() {
        let base = Guarantee::ALL.iter().filter(|g| g.tier() == Tier::Base).count();
        assert_eq!((base, Guarantee::ALL.len() - base), (16, 7));
    }

    #[test]
    fn a_slip_of_the_pen_is_told_the_nearest_name() {
        let slip = "pid-hidden".parse::<Guarantee>().unwrap_err();
        assert_eq!(slip.nearest, Some("pids-hidden"));
        assert_eq!("zebra".parse::<Guarantee>().unwrap_err().nearest, None);
    }
}
