//! The operating systems that plans are made for.

use std::fmt;

/// An operating system, as data: any plan can be made on any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// Linux.
    Linux,
    /// FreeBSD.
    FreeBsd,
    /// macOS.
    MacOs,
    /// Another Unix.
    OtherUnix,
}

impl Os {
    /// Whether privilege is split into capabilities, with securebits and `no_new_privs`.
    #[must_use]
    pub const fn has_capabilities(self) -> bool {
        matches!(self, Os::Linux)
    }

    /// Whether a process can ask for a signal when its parent ends.
    #[must_use]
    pub const fn has_parent_death_signal(self) -> bool {
        matches!(self, Os::Linux | Os::FreeBsd)
    }

    /// The largest number of supplementary groups that the kernel takes (`NGROUPS_MAX`).
    #[must_use]
    pub const fn groups_max(self) -> usize {
        match self {
            Os::Linux => 65536,
            Os::FreeBsd => 1023,
            // Sixteen with the effective gid, which stands among them.
            Os::MacOs => 15,
            Os::OtherUnix => 16,
        }
    }
}

impl fmt::Display for Os {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Os::Linux => "Linux",
            Os::FreeBsd => "FreeBSD",
            Os::MacOs => "macOS",
            Os::OtherUnix => "Unix",
        })
    }
}
