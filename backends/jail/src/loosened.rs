//! What a parameter that is asked for by name costs.

use isol_core::{Guarantee as G, GuaranteeSet, Parameter};

/// Parameters that cost nothing: what they let a jail do stays in it, or is only a number that it is told.
const HARMLESS: &[&str] = &[
    "allow.chflags",
    "allow.mlock",
    "allow.reserved_ports",
    "allow.set_hostname",
    "allow.unprivileged_parent_tampering",
    "allow.unprivileged_proc_debug",
    "host.domainname",
    "host.hostid",
    "host.hostuuid",
    "ip4.saddrsel",
    "ip6.saddrsel",
    "linux",
    "linux.osname",
    "linux.osrelease",
    "linux.oss_version",
    "osreldate",
    "osrelease",
];

/// The guarantees that it gives up. Whatever is not known here may let the jail's root out.
pub(crate) fn by(parameter: &Parameter) -> GuaranteeSet {
    let (name, value) = (parameter.name.as_str(), parameter.value.as_deref());
    let number = || value.and_then(|text| text.parse::<i32>().ok());
    let given_up: &[G] = match name {
        _ if HARMLESS.contains(&name) || is_denial(parameter) => &[],
        "sysvmsg" | "sysvsem" | "sysvshm" => match value {
            Some("new" | "disable") => &[],
            _ => &[G::IpcPrivate, G::RootHarmless],
        },
        "allow.sysvipc" => &[G::IpcPrivate, G::RootHarmless],
        "allow.raw_sockets" | "allow.socket_af" => &[G::NetworkConfined, G::RootHarmless],
        "host" if value == Some("new") => &[],
        "host" => &[G::HostnamePrivate, G::RootHarmless],
        "enforce_statfs" if number() == Some(2) => &[],
        "enforce_statfs" => &[G::MountsPrivate],
        "children.max" if number() == Some(0) => &[],
        "children.max" => &[G::NoNewRoot, G::RootHarmless],
        "securelevel" if number() >= Some(3) => &[],
        "mac.do" if value == Some("disable") => &[],
        "mac.do" | "mac.do.rules" => {
            &[G::UidDropped, G::GidDropped, G::PrivilegesEmpty, G::NoPrivilegeGain]
        }
        _ if name == "allow.mount" || name.starts_with("allow.mount.") => {
            &[G::NoNewRoot, G::MountsPrivate, G::RootHarmless]
        }
        _ => &[G::RootHarmless],
    };
    given_up.iter().copied().collect()
}

/// Whether it turns something off: `allow.noX`, or `allow.X=false`.
fn is_denial(parameter: &Parameter) -> bool {
    let Some((_, last)) = parameter.name.rsplit_once('.') else { return false };
    match parameter.value.as_deref() {
        None => parameter.name.starts_with("allow.") && last.starts_with("no"),
        Some(value) => parameter.name.starts_with("allow.") && matches!(value, "false" | "0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(text: &str) -> Vec<G> {
        let Ok(parameter) = text.parse();
        by(&parameter).iter().collect()
    }

    #[test]
    fn what_loosens_the_jail_costs_a_guarantee() {
        assert_eq!(costs("sysvshm=inherit"), [G::IpcPrivate, G::RootHarmless]);
        assert_eq!(costs("enforce_statfs=1"), [G::MountsPrivate]);
        assert_eq!(costs("host=inherit"), [G::HostnamePrivate, G::RootHarmless]);
        assert_eq!(costs("children.max=1"), [G::NoNewRoot, G::RootHarmless]);
        assert_eq!(costs("allow.raw_sockets"), [G::NetworkConfined, G::RootHarmless]);
        for root in ["allow.mount.tmpfs", "devfs_ruleset=0", "securelevel=-1", "securelevel=x"] {
            assert!(costs(root).contains(&G::RootHarmless), "{root}");
        }
    }

    #[test]
    fn what_is_not_known_may_let_root_out() {
        assert_eq!(costs("allow.of_tomorrow"), [G::RootHarmless]);
        assert_eq!(costs("of_tomorrow=7"), [G::RootHarmless]);
    }

    #[test]
    fn what_tightens_or_only_tells_costs_nothing() {
        for free in [
            "allow.mlock",
            "allow.nomount",
            "allow.mount=false",
            "sysvshm=disable",
            "securelevel=3",
            "enforce_statfs=2",
            "osrelease=15.1",
        ] {
            assert_eq!(costs(free), [], "{free}");
        }
    }
}
