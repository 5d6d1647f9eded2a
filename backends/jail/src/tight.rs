//! Which parameters a policy leads to.

use std::net::IpAddr;

use isol_core::{Network, Parameter, PlanError, Policy};

use crate::NAME;
use crate::setting::{Setting, Share, Value};

/// What a jail's processes may not do, each by the name of what would let them. Some are on unless they are
/// turned off; those that a kernel does not know, it can't grant either.
const DENIED: &[&str] = &[
    "allow.set_hostname",
    "allow.reserved_ports",
    "allow.unprivileged_proc_debug",
    "allow.raw_sockets",
    "allow.chflags",
    "allow.mount",
    "allow.socket_af",
    "allow.mlock",
    "allow.read_msgbuf",
    "allow.quotas",
    "allow.sysvipc",
    "allow.nfsd",
    "allow.vmm",
    "allow.unprivileged_parent_tampering",
    "allow.settime",
    "allow.adjtime",
    "allow.routing",
    "allow.extattr",
    "allow.setaudit",
];

/// `devfsrules_jail` of /etc/defaults/devfs.rules.
pub(crate) const DEVFS_RULESET_OF_JAILS: i32 = 4;

/// The most addresses of one kind.
const MOST_ADDRESSES: usize = 255;

/// The parameters, without those that are known only when the jail is made: its path and its name.
pub(crate) fn settings(policy: &Policy) -> Result<Vec<Setting>, PlanError> {
    let mut settings = network(&policy.network)?;
    settings.push(Setting::new("host", Value::Share(Share::New)).required());
    if let Some(hostname) = &policy.hostname {
        settings.push(Setting::new("host.hostname", Value::Text(hostname.clone())).required());
    }
    settings.push(Setting::new("children.max", Value::Number(0)).required());
    settings.push(Setting::new("enforce_statfs", Value::Number(2)).required());
    settings.push(Setting::new("securelevel", Value::Number(3)));
    settings.push(Setting::new("devfs_ruleset", Value::Number(DEVFS_RULESET_OF_JAILS)));
    settings.extend(
        ["sysvmsg", "sysvsem", "sysvshm"].map(|name| Setting::new(name, Value::Share(Share::New))),
    );
    // A jail has the rules of the one around it until it is told otherwise, and they let a program change its uid.
    settings.push(Setting::new("mac.do", Value::Share(Share::Disable)));
    settings.extend(DENIED.iter().map(|&name| Setting::new(name, Value::Off)));
    for parameter in &policy.parameters {
        check(parameter)?;
    }
    Ok(settings)
}

fn network(network: &Network) -> Result<Vec<Setting>, PlanError> {
    let both = |value: Value| vec![Setting::new("ip4", value.clone()), Setting::new("ip6", value)];
    Ok(match network {
        // Without them there would be no address at all.
        Network::Unsaid | Network::Host => both(Value::Share(Share::Inherit)),
        Network::None => {
            both(Value::Share(Share::Disable)).into_iter().map(Setting::required).collect()
        }
        Network::Addresses(all) => addresses(all)?,
    })
}

fn addresses(all: &[IpAddr]) -> Result<Vec<Setting>, PlanError> {
    let nobody_s = |address: &&IpAddr| match address {
        IpAddr::V4(address) => address.is_unspecified() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unspecified(),
    };
    if let Some(address) = all.iter().find(nobody_s) {
        return Err(PlanError::CantHonour {
            backend: NAME,
            what: format!("--network {address}"),
            reason: "it is the address of no host".into(),
            help: Some("name addresses of this host, or --network host, or --network none".into()),
        });
    }
    let (mut four, mut six) = (Vec::new(), Vec::new());
    for address in all {
        match address {
            IpAddr::V4(address) if !four.contains(address) => four.push(*address),
            IpAddr::V6(address) if !six.contains(address) => six.push(*address),
            _ => {}
        }
    }
    for (count, kind) in [(four.len(), "IPv4"), (six.len(), "IPv6")] {
        if count > MOST_ADDRESSES {
            return Err(PlanError::CantHonour {
                backend: NAME,
                what: format!("{count} {kind} addresses"),
                reason: format!("a jail takes {MOST_ADDRESSES} of a kind"),
                help: Some("name fewer, or --network host".into()),
            });
        }
    }
    let of = |name: &str, none: bool| {
        Setting::new(
            name,
            if none { Value::Share(Share::Disable) } else { Value::Share(Share::New) },
        )
        .required()
    };
    let mut settings = vec![of("ip4", four.is_empty()), of("ip6", six.is_empty())];
    if !four.is_empty() {
        settings.push(Setting::new("ip4.addr", Value::Addresses4(four)).required());
    }
    if !six.is_empty() {
        settings.push(Setting::new("ip6.addr", Value::Addresses6(six)).required());
    }
    Ok(settings)
}

/// Those that have an option of their own, or that isol sees to.
const ISOLS_OWN: &[(&str, &str)] = &[
    ("path", "--root"),
    ("name", "--name"),
    ("host.hostname", "--hostname"),
    ("ip4", "--network"),
    ("ip6", "--network"),
    ("ip4.addr", "--network"),
    ("ip6.addr", "--network"),
];
const NEVER: &[&str] = &[
    "jid",
    "persist",
    "nopersist",
    "dying",
    "lastjid",
    "errmsg",
    "allow.suser",
    "allow.nosuser",
    "allow.dying",
];

fn check(parameter: &Parameter) -> Result<(), PlanError> {
    let cant = |reason: String, help: Option<String>| {
        Err(PlanError::CantHonour {
            backend: NAME,
            what: format!("--jail-param {parameter}"),
            reason,
            help,
        })
    };
    if parameter.name.is_empty() {
        return cant("it has no name".into(), Some("--jail-param NAME or NAME=VALUE".into()));
    }
    if let Some((_, option)) = ISOLS_OWN.iter().find(|(name, _)| *name == parameter.name) {
        return cant("there is an option for it".into(), Some(format!("{option} sets it")));
    }
    if ["vnet", "novnet"].contains(&parameter.name.as_str()) {
        return cant(
            "isol gives a jail no network stack of its own".into(),
            Some("--network none, or --network ADDRESS,...".into()),
        );
    }
    if NEVER.contains(&parameter.name.as_str()) {
        return cant("isol sees to it itself".into(), Some("leave it out".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isol_core::User;

    fn of(network: Network) -> Vec<String> {
        let policy = Policy::confine("/srv/x").user(User::Auto).network(network).build().unwrap();
        settings(&policy).unwrap().iter().map(Setting::to_string).collect()
    }

    #[test]
    fn the_network_is_the_host_s_unless_it_is_said() {
        assert_eq!(of(Network::Unsaid)[..2], ["ip4=inherit", "ip6=inherit"]);
        assert_eq!(of(Network::None)[..2], ["ip4=disable", "ip6=disable"]);
        let one = Network::Addresses(vec!["192.0.2.7".parse().unwrap()]);
        assert_eq!(of(one)[..3], ["ip4=new", "ip6=disable", "ip4.addr=192.0.2.7"]);
    }

    #[test]
    fn everything_that_could_be_allowed_is_denied_by_its_no_form() {
        let all = of(Network::Unsaid);
        for denied in ["allow.nomount", "allow.noraw_sockets", "allow.noset_hostname"] {
            assert!(all.iter().any(|setting| setting == denied), "{denied} is not in {all:?}");
        }
        assert!(
            all.iter().all(|setting| !setting.starts_with("allow.") || setting.contains(".no"))
        );
    }

    #[test]
    fn more_addresses_than_a_jail_takes_are_refused() {
        let many = |n: u32| Network::Addresses((1..=n).map(|i| IpAddr::V4(i.into())).collect());
        let policy =
            |n| Policy::confine("/srv/x").user(User::Auto).network(many(n)).build().unwrap();
        assert!(settings(&policy(255)).is_ok());
        let error = settings(&policy(256)).unwrap_err();
        assert!(error.problem().to_string().contains("a jail takes 255 of a kind"), "{error:?}");
    }

    #[test]
    fn addresses_that_no_host_has_are_refused() {
        for nobody_s in ["0.0.0.0", "255.255.255.255", "::"] {
            assert!(addresses(&[nobody_s.parse().unwrap()]).is_err(), "{nobody_s}");
        }
    }

    #[test]
    fn an_address_that_is_named_twice_counts_once() {
        let twice: Vec<IpAddr> = ["10.0.0.1", "10.0.0.1"].map(|a| a.parse().unwrap()).to_vec();
        let settings = addresses(&twice).unwrap();
        assert_eq!(settings[2].to_string(), "ip4.addr=10.0.0.1");
    }

    #[test]
    fn what_has_an_option_of_its_own_is_no_parameter() {
        let of = |text: &str| {
            let parameters = [text.parse().unwrap()];
            let policy = Policy::confine("/srv/x").user(User::Auto).parameters(parameters);
            settings(&policy.build().unwrap()).map(drop)
        };
        assert!(of("allow.mlock").is_ok());
        for refused in ["path=/", "persist", "ip4.addr=10.0.0.1", "jid=7", "=x"] {
            assert!(of(refused).is_err(), "{refused}");
        }
    }
}
