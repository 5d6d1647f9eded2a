//! Where the messages go that programs inside send to syslog.

use std::path::PathBuf;

use crate::{Os, Support};

/// Whether isol takes messages to syslog inside the root, and whom it gives them to.
///
/// ```
/// use isol_core::{Policy, Syslog, User};
/// let policy = Policy::confine("/srv/dns").user(User::Auto).syslog(Syslog::Host).build()?;
/// assert_ne!(policy.syslog, Syslog::Off);
/// # Ok::<(), isol_core::PolicyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Syslog {
    /// It takes none.
    #[default]
    Off,
    /// To the host's syslogd.
    Host,
    /// To whoever listens on this datagram socket: an absolute path of the host.
    Socket(PathBuf),
}

impl Syslog {
    /// Where the C library of a system sends messages, as a path of the root without the first slash; `None` where
    /// syslog(3) speaks to no socket, and isol relays nothing.
    #[must_use]
    pub const fn inside(os: Os) -> Option<&'static str> {
        match os {
            Os::Linux => Some("dev/log"),
            Os::FreeBsd => Some("var/run/log"),
            Os::MacOs | Os::OtherUnix => None,
        }
    }

    /// Where a system's syslogd takes messages: it is the first one that answers.
    #[must_use]
    pub const fn hosts(os: Os) -> &'static [&'static str] {
        match os {
            // The second one is journald's, to which the first is a link where systemd runs.
            Os::Linux => &["/dev/log", "/run/systemd/journal/dev-log"],
            // Not `logpriv`, which is for those whom syslogd has no reason to throttle.
            Os::FreeBsd => &["/var/run/log"],
            Os::MacOs | Os::OtherUnix => &[],
        }
    }

    /// What a backend says of [`SyslogWorks`](crate::Guarantee::SyslogWorks), if it lets a file of the root be a
    /// socket.
    #[must_use]
    pub fn support(os: Os) -> Support {
        match Self::inside(os) {
            None => Support::NotOffered(format!("isol relays no messages on {os}")),
            Some(_) => Support::OnRequest(
                "a relay takes the messages, for which isol stays as the parent: --syslog".into(),
            ),
        }
    }
}

#[cfg(feature = "serde")]
mod text {
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Syslog;

    /// `true`, `false`, or a path.
    #[derive(Serialize, Deserialize)]
    #[serde(untagged, expecting = "`true`, `false`, or the path of a socket")]
    enum Written {
        Switch(bool),
        Path(PathBuf),
    }

    impl Serialize for Syslog {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            let written = match self {
                Syslog::Off => Written::Switch(false),
                Syslog::Host => Written::Switch(true),
                Syslog::Socket(path) => Written::Path(path.clone()),
            };
            written.serialize(s)
        }
    }

    impl<'de> Deserialize<'de> for Syslog {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            Ok(match Written::deserialize(d)? {
                Written::Switch(false) => Syslog::Off,
                Written::Switch(true) => Syslog::Host,
                Written::Path(path) => Syslog::Socket(path),
            })
        }
    }
}
