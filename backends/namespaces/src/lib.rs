//! The Linux namespaces backend: what jail(2) gives on FreeBSD.
//!
//! Mounts, processes, IPC, the host's name and the view of control groups are the program's own in every run; the
//! network, and users, where the policy asks for it. Plans can be made and printed on every system; they can be
//! run on Linux.

mod availability;
mod host_name;
mod kinds;
mod mounts;
mod namespaces;
mod refused;
mod support;
mod unconfined;

use isol_core::{
    Allow, Backend, Guarantee, Layers, Os, PlanError, Policy, Request, Support, Unavailable,
};

use isol_sys::namespaces::Kinds;

/// The backend.
#[derive(Clone, Copy, Debug)]
pub struct Namespaces;

/// Its name on the command line.
pub const NAME: &str = "namespaces";

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
        support::of(guarantee)
    }

    fn stays_outside(&self, policy: &Policy) -> bool {
        !policy.allow.contains(Allow::HostPids)
    }

    fn layers(&self, request: &Request<'_>) -> Result<Layers, PlanError> {
        refused::check(request)?;
        let policy = request.policy;
        let kinds = kinds::of(policy);
        let mut layers = Layers::default()
            .with(namespaces::Namespaces::new(kinds, request))
            .with(mounts::Mounts::new(policy));
        if let Some(name) = &policy.hostname {
            layers = layers.with(host_name::HostName::new(name));
        }
        if kinds.has(Kinds::NET) {
            layers = layers.with(unconfined::Unconfined::default());
        }
        Ok(layers)
    }
}
