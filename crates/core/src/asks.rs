//! What of a policy only some backends do.

use crate::{Allow, Guarantee, Network, Policy, User};

impl Policy {
    /// What it asks for that takes a backend which holds a guarantee, in the words of the command line, and that guarantee.
    /// `is_root` says whether a user who is named is uid 0.
    ///
    /// ```
    /// use isol_core::{Guarantee, Network, Policy, User};
    /// let policy = Policy::confine("/srv/x").user(User::Auto).network(Network::None).build()?;
    /// assert_eq!(policy.asks_for(false), [("--network none".into(), Guarantee::NetworkConfined)]);
    /// # Ok::<(), isol_core::PolicyError>(())
    /// ```
    #[must_use]
    pub fn asks_for(&self, is_root: bool) -> Vec<(String, Guarantee)> {
        let network = match &self.network {
            Network::Unsaid | Network::Host => None,
            network => Some(format!("--network {network}")),
        };
        let hostname = self.hostname.as_ref().map(|name| format!("--hostname {name}"));
        let root = is_root || matches!(self.user, User::Id(uid) if uid.is_root());
        let root = root && self.allow.contains(Allow::RootUser);
        let root = root.then(|| format!("--user {}", self.user));
        let all = [
            (network, Guarantee::NetworkConfined),
            (hostname, Guarantee::HostnamePrivate),
            (self.mounts(), Guarantee::MountsPrivate),
            (root, Guarantee::RootHarmless),
        ];
        all.into_iter().filter_map(|(what, guarantee)| Some((what?, guarantee))).collect()
    }
}
