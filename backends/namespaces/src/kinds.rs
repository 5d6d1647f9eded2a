//! Which namespaces a policy leads to.

use isol_core::{Allow, Guarantee, Network, Policy};
use isol_sys::namespaces::Kinds;

/// Those that cost next to nothing, in every run; the network's, which costs more than all others together, and the
/// users', in which files of others look like nobody's, only where the policy asks for what rests on them.
pub(crate) fn of(policy: &Policy, as_caller: bool) -> Kinds {
    let mut kinds = Kinds::MOUNT.and(Kinds::IPC).and(Kinds::UTS).and(Kinds::CGROUP);
    if !policy.allow.contains(Allow::HostPids) {
        kinds = kinds.and(Kinds::PID);
    }
    let confined = policy.require.contains(Guarantee::NetworkConfined);
    if policy.network == Network::None || (policy.network == Network::Unsaid && confined) {
        kinds = kinds.and(Kinds::NET);
    }
    // An ordinary user can make the others only in one of these.
    if as_caller || users(policy) {
        kinds = kinds.and(Kinds::USER);
    }
    kinds
}

/// Whether the policy needs one in which uid 0 is nobody outside.
pub(crate) fn users(policy: &Policy) -> bool {
    policy.allow.contains(Allow::RootUser) || policy.require.contains(Guarantee::RootHarmless)
}
