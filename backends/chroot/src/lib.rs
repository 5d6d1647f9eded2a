//! The chroot(2) backend: Linux, macOS, FreeBSD and any other Unix.
//!
//! chroot(2) confines the file system and nothing else. This backend holds every
//! base guarantee, and claims none of the strong ones: processes, IPC, the network
//! and the host name are the host's, and uid 0 walks out of a chroot.

mod availability;
mod integrity_protection;
mod step;
mod support;

use isol_core::{
    Backend, Guarantee, Layers, Mode, Network, Os, PlanError, Request, Support, Unavailable,
};

/// The backend.
#[derive(Clone, Copy, Debug)]
pub struct Chroot;

/// Its name on the command line.
pub const NAME: &str = "chroot";

impl Backend for Chroot {
    fn name(&self) -> &'static str {
        NAME
    }

    fn plans_for(&self, host: Os) -> Os {
        host
    }

    fn available(&self) -> Result<(), Unavailable> {
        availability::check()
    }

    fn support(&self, guarantee: Guarantee, os: Os) -> Support {
        support::of(guarantee, os)
    }

    fn layers(&self, request: &Request<'_>) -> Result<Layers, PlanError> {
        let policy = request.policy;
        let cant = |what: &str, reason: &str, help: &str| {
            Err(PlanError::CantHonour {
                backend: NAME,
                what: what.to_owned(),
                reason: reason.to_owned(),
                help: Some(help.to_owned()),
            })
        };
        if request.identity.is_root() {
            return cant(
                "uid 0",
                "root walks out of a chroot",
                "name a user: --user NAME, or --user auto",
            );
        }
        if !matches!(policy.network, Network::Unsaid | Network::Host) {
            return cant(
                "a network of its own",
                "chroot(2) confines the file system only",
                "ask for the host's network",
            );
        }
        if policy.hostname.is_some() {
            return cant(
                "a host name of its own",
                "chroot(2) confines the file system only",
                "leave the host name out",
            );
        }
        if let Some(name) = &policy.name {
            return cant(
                &format!("the name {name}"),
                "chroot(2) gives nothing a name",
                "leave --name out",
            );
        }
        if let Some(mounts) = policy.mounts() {
            return cant(
                &mounts,
                "chroot(2) mounts nothing",
                match request.os {
                    Os::Linux => "mount it in the root yourself, or ask for --backend namespaces",
                    Os::FreeBsd => "mount it in the root yourself, or ask for --backend jail",
                    _ => "leave it out: nothing of isol's mounts on this system",
                },
            );
        }
        if let Some(parameter) = policy.parameters.first() {
            return cant(
                &format!("the parameter {parameter}"),
                "it is a jail's",
                "leave --jail-param out, or ask for --backend jail",
            );
        }
        let layers = Layers::default().with(step::ChangeRoot);
        let layers = isol_steps::shut_in(layers, request, NAME, false)?;
        Ok(match (request.os, request.mode) {
            (Os::MacOs, Mode::Exec | Mode::Spawn) => {
                layers.with(integrity_protection::IntegrityProtection)
            }
            _ => layers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isol_core::{Gid, Identity, Ids, Policy, Uid, User};

    #[test]
    fn every_system_s_plan_keeps_the_rules() {
        let uid = Uid::new(70_000).unwrap();
        let policy = Policy::confine("/srv/x").user(User::Id(uid)).build().unwrap();
        let identity = Identity::Fixed(Ids::new(uid, Gid::new(70_000).unwrap(), Vec::new()));
        for os in [Os::Linux, Os::FreeBsd, Os::MacOs, Os::OtherUnix] {
            for mode in [Mode::Enter, Mode::Exec, Mode::Spawn] {
                let request =
                    Request { policy: &policy, identity: &identity, mode, command: None, os };
                let plan = isol_steps::assemble(&Chroot, &request, Default::default())
                    .unwrap_or_else(|error| panic!("{os}, {mode}: {error}"));
                assert!(plan.guarantees().contains(Guarantee::PrivilegesEmpty));
                let no_gain = plan.guarantees().contains(Guarantee::NoPrivilegeGain);
                assert_eq!(no_gain, matches!(os, Os::Linux | Os::FreeBsd));
                let asks = plan.steps().any(|s| s.name() == "integrity-protection");
                assert_eq!(asks, os == Os::MacOs && mode != Mode::Enter, "{os}, {mode}");
            }
        }
    }
}
