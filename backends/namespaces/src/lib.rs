//! The Linux namespaces backend: what jail(2) gives on FreeBSD.
//!
//! Mounts, processes, IPC, the host's name and the view of control groups are the program's own in every run; the
//! network, and users, where the policy asks for it. Plans can be made and printed on every system; they can be
//! run on Linux.

mod availability;
mod denied;
mod given;
mod given_namespace;
mod host_name;
mod kinds;
mod mounts;
mod namespaces;
mod refused;
mod support;
mod unconfined;
mod user_namespace;

use isol_core::{
    Allow, Backend, Guarantee, Identity, Layers, Os, PlanError, Policy, Request, Support,
    Unavailable,
};

use isol_sys::namespaces::Kinds;

pub use given::{GivenIds, Lacking, given};

/// The backend.
#[derive(Clone, Copy, Debug)]
pub struct Namespaces;

/// Its name on the command line.
pub const NAME: &str = "namespaces";

/// What uid 0 can do inside, to what is its own there: chown and access files, change ids, bind low ports, signal, chroot.
/// As a jail's root it can't mount, make devices, trace, or configure the network.
const CAPABILITIES_OF_ROOT: u64 = {
    const CHOWN: u64 = 1;
    const DAC_OVERRIDE: u64 = 1 << 1;
    const FOWNER: u64 = 1 << 3;
    const FSETID: u64 = 1 << 4;
    const KILL: u64 = 1 << 5;
    const SETGID: u64 = 1 << 6;
    const SETUID: u64 = 1 << 7;
    const SETPCAP: u64 = 1 << 8;
    const NET_BIND_SERVICE: u64 = 1 << 10;
    const SYS_CHROOT: u64 = 1 << 18;
    CHOWN
        | DAC_OVERRIDE
        | FOWNER
        | FSETID
        | KILL
        | SETGID
        | SETUID
        | SETPCAP
        | NET_BIND_SERVICE
        | SYS_CHROOT
};

impl Backend for Namespaces {
    fn name(&self) -> &'static str {
        NAME
    }

    fn plans_for(&self, _host: Os) -> Os {
        Os::Linux
    }

    fn available(&self) -> Result<(), Unavailable> {
        availability::check()
    }

    fn support(&self, guarantee: Guarantee, _os: Os) -> Support {
        support::of(guarantee, availability::as_caller())
    }

    fn stays_outside(&self, policy: &Policy) -> bool {
        !policy.allow.contains(Allow::HostPids)
    }

    fn runs_as_caller(&self) -> bool {
        availability::as_caller()
    }

    fn capabilities_of_root(&self) -> u64 {
        CAPABILITIES_OF_ROOT
    }

    fn layers(&self, request: &Request<'_>) -> Result<Layers, PlanError> {
        let policy = request.policy;
        let as_caller = availability::as_caller();
        let kinds = kinds::of(policy, as_caller);
        refused::check(request, kinds, as_caller)?;
        // A tree of the ordinary user's is the program's own: it would not be its to change if root had made it.
        let read_only = policy.read_only
            || as_caller && matches!(policy.root, isol_core::Root::ThrowAway { .. });
        let mut layers = Layers::default();
        match request.identity {
            Identity::Given(given) => {
                layers = layers.with(given_namespace::GivenNamespace::new(given.clone()));
            }
            identity if kinds.has(Kinds::USER) && !as_caller => {
                layers = layers.with(user_namespace::UserNamespace::new(identity.is_root()));
            }
            _ => {}
        }
        layers = layers
            .with(namespaces::Namespaces::new(kinds, request, as_caller))
            .with(mounts::Mounts::new(policy, kinds, read_only));
        if let Some(name) = &policy.hostname {
            layers = layers.with(host_name::HostName::new(name));
        }
        let by_filter = isol_steps::filter_confines(request);
        if kinds.has(Kinds::NET) && !by_filter {
            layers = layers.with(unconfined::Unconfined::default());
        }
        isol_steps::shut_in(layers, request, NAME, kinds.has(Kinds::NET) && by_filter)
    }
}
