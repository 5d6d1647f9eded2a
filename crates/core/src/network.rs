//! The network that the program may use.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What of the network is usable inside.
///
/// ```
/// use isol_core::Network;
/// assert_eq!("none".parse(), Ok(Network::None));
/// let network: Network = "192.0.2.7,2001:db8::7".parse().unwrap();
/// assert_eq!(network.to_string(), "192.0.2.7,2001:db8::7");
/// ```
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

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `none`, `host` nor a list of IP addresses")]
pub struct NetworkError(pub String);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let address = |part: &str| part.parse().map_err(|_| NetworkError(text.to_owned()));
        match text {
            "none" => Ok(Network::None),
            "host" => Ok(Network::Host),
            list => list.split(',').map(address).collect::<Result<_, _>>().map(Network::Addresses),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Network::Unsaid | Network::Host => f.write_str("host"),
            Network::None => f.write_str("none"),
            Network::Addresses(all) => {
                let all: Vec<_> = all.iter().map(IpAddr::to_string).collect();
                f.write_str(&all.join(","))
            }
        }
    }
}
