//! What of a policy this backend has no way to honour.

use isol_core::{Allow, Network, PlanError, Request};
use isol_sys::namespaces::Kinds;

use crate::NAME;

pub(crate) fn check(request: &Request<'_>, kinds: Kinds, as_caller: bool) -> Result<(), PlanError> {
    let policy = request.policy;
    let cant = |what: &str, reason: &str, help: &str| {
        Err(PlanError::CantHonour {
            backend: NAME,
            what: what.to_owned(),
            reason: reason.to_owned(),
            help: Some(help.to_owned()),
        })
    };
    if let Network::Addresses(_) = &policy.network {
        return cant(
            &format!("--network {}", policy.network),
            "a network namespace has interfaces of its own, and isol gives it none but the loopback",
            "--network none, or --network host; on FreeBSD a jail takes addresses",
        );
    }
    if let Some(name) = &policy.name {
        return cant(&format!("the name {name}"), "namespaces have no names", "leave --name out");
    }
    if let Some(parameter) = policy.parameters.first() {
        return cant(
            &format!("the parameter {parameter}"),
            "it is a jail's",
            "leave --jail-param out, or ask for --backend jail",
        );
    }
    if kinds.has(Kinds::USER) && !kinds.has(Kinds::PID) {
        return cant(
            "the host's processes",
            "in a user namespace a program has an init of isol's above it",
            if as_caller {
                "leave --allow host-pids out, or run it as root"
            } else {
                "leave --allow host-pids out, or --allow root-user"
            },
        );
    }
    for mount in policy.mounts_top_down() {
        let target = mount.target();
        if let Some(own) = ["/proc", "/dev"].into_iter().find(|own| target.starts_with(own)) {
            return cant(
                &mount.to_string(),
                &format!("{own} is what isol makes it"),
                "name another place",
            );
        }
    }
    if policy.allow.contains(Allow::Threads) && !policy.allow.contains(Allow::HostPids) {
        return cant(
            "a process with other threads",
            "it goes on in a child, which has none of them",
            "isolate it before it starts threads, or allow the host's processes too",
        );
    }
    Ok(())
}
