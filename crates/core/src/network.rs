//! The network that the program may use.

use std::net::IpAddr;

/// What of the network is usable inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Not said: what the backend does by default, which is the host's.
    #[default]
    Unsaid,
    /// The host's.
    Host,
    /// None.
    None,
    /// These addresses of the host's and no others.
    Addresses(Vec<IpAddr>),
}
