//! The jail(2) backend: FreeBSD.
//!
//! A jail of its own for each run, made by the process that enters it and gone when its last process has gone. This
//! backend holds every base guarantee and the strong ones; `network-confined` where the policy says which
//! network. Plans can be made and printed on every system; they can be run on FreeBSD.

mod availability;
mod inside;
mod loosened;
mod mounts;
mod named;
mod nested;
mod refused;
mod seal;
mod setting;
mod step;
mod support;
mod tight;
mod typed;

use isol_core::{
    Allow, Backend, Guarantee, Layers, Mode, Os, PlanError, Policy, Request, Support, Unavailable,
    User,
};

pub use mounts::{LOCK as MOUNTS_LOCK, sweep as sweep_mounts};
pub use setting::{Setting, Share, Value};

/// The backend.
#[derive(Clone, Copy, Debug)]
pub struct Jail;

/// Its name on the command line.
pub const NAME: &str = "jail";

impl Backend for Jail {
    fn name(&self) -> &'static str {
        NAME
    }

    fn plans_for(&self, _host: Os) -> Os {
        Os::FreeBsd
    }

    fn available(&self) -> Result<(), Unavailable> {
        availability::check()
    }

    fn support(&self, guarantee: Guarantee, os: Os) -> Support {
        support::of(guarantee, os)
    }

    fn enters_by_descriptor(&self) -> bool {
        false
    }

    fn stays_outside(&self, policy: &Policy) -> bool {
        // Who a name stands for is not known here.
        let may_be_root = match &policy.user {
            User::Id(uid) => uid.is_root(),
            User::Name(_) => true,
            User::Auto => false,
        };
        let powerless =
            policy.allow.contains(Allow::RootUser) && !policy.allow.contains(Allow::Superuser);
        policy.mounts().is_some() || may_be_root && powerless
    }

    fn layers(&self, request: &Request<'_>) -> Result<Layers, PlanError> {
        let policy = request.policy;
        if let Some(what) = policy.mounts().filter(|_| request.mode != Mode::Spawn) {
            return Err(PlanError::CantHonour {
                backend: NAME,
                what,
                reason: format!(
                    "somebody has to outlive the program to take away what is mounted, and the mode is {}",
                    request.mode
                ),
                help: Some(
                    "spawn the program, or mount it in the root before: mount_nullfs -o ro,nosuid SRC DST, mount -t tmpfs tmpfs DIR"
                        .into(),
                ),
            });
        }
        let linux_s = [
            (policy.seccomp.is_asked_for(), "a filter of system calls", "--seccomp"),
            (policy.landlock.is_asked_for(), "Landlock", "--landlock"),
        ];
        if let Some((_, what, option)) = linux_s.into_iter().find(|(asked, _, _)| *asked) {
            return Err(PlanError::CantHonour {
                backend: NAME,
                what: what.to_owned(),
                reason: "it is Linux's, and a jail FreeBSD's".to_owned(),
                help: Some(format!("leave {option} out")),
            });
        }
        let settings = tight::settings(policy)?;
        let is_root = request.identity.is_root();
        if is_root && !request.is_superuser() && request.mode != Mode::Spawn {
            return Err(PlanError::CantHonour {
                backend: NAME,
                what: "uid 0 without the superuser's powers".into(),
                reason: format!(
                    "somebody outside has to switch them off behind it, and the mode is {}",
                    request.mode
                ),
                help: Some("spawn the program, or --allow root-user,superuser".into()),
            });
        }
        let sealed = request.mode == Mode::Spawn && !request.is_superuser();
        let jail = step::Jail::new(policy, settings.clone(), sealed);
        let mut layers = Layers::default();
        if policy.mounts().is_some() {
            layers = layers.with(mounts::Mounts::new(policy, devfs_ruleset(policy)));
        }
        layers = layers.with(jail);
        for parameter in &policy.parameters {
            let what = format!("--jail-param {parameter}");
            layers = layers.giving_up(what, loosened::by(parameter));
        }
        if sealed {
            layers = layers.with(seal::Seal::new(settings, policy.parameters.clone(), is_root));
        }
        Ok(layers)
    }
}

/// The devices that a devfs in the jail's root shows.
fn devfs_ruleset(policy: &Policy) -> i32 {
    let asked = policy.parameters.iter().find(|parameter| parameter.name == DEVFS_RULESET);
    let number = asked.and_then(|parameter| parameter.value.as_ref()?.parse().ok());
    number.unwrap_or(tight::DEVFS_RULESET_OF_JAILS)
}

const DEVFS_RULESET: &str = "devfs_ruleset";

#[cfg(test)]
mod tests {
    use super::*;
    use isol_core::{Gid, Identity, Ids, Network, Uid, User};

    fn plan(mode: Mode, network: Network) -> isol_core::Plan {
        let uid = Uid::new(70_000).unwrap();
        let policy =
            Policy::confine("/srv/x").user(User::Id(uid)).network(network).build().unwrap();
        let identity = Identity::Fixed(Ids::new(uid, Gid::new(70_000).unwrap(), Vec::new()));
        let request =
            Request { policy: &policy, identity: &identity, mode, command: None, os: Os::FreeBsd };
        isol_steps::assemble(&Jail, &request, Default::default()).unwrap()
    }

    #[test]
    fn only_who_stays_as_the_parent_seals() {
        let seals = |mode| {
            plan(mode, Network::Unsaid)
                .steps()
                .any(|s| s.name() == isol_core::step_names::JAIL_SEAL)
        };
        assert!(seals(Mode::Spawn) && !seals(Mode::Exec) && !seals(Mode::Enter));
    }

    #[test]
    fn uid_0_has_its_powers_taken_or_they_are_allowed() {
        let identity = Identity::Fixed(Ids::new(Uid::ROOT, Gid::ROOT, Vec::new()));
        let plan = |mode, allow: &[Allow]| {
            let policy = Policy::confine("/srv/x").user(User::Id(Uid::ROOT));
            let policy = allow.iter().fold(policy, |policy, &allow| policy.allow(allow));
            let policy = policy.build().unwrap();
            assert_eq!(Jail.stays_outside(&policy), !allow.contains(&Allow::Superuser));
            let (policy, identity) = (&policy, &identity);
            let request = Request { policy, identity, mode, command: None, os: Os::FreeBsd };
            isol_steps::assemble(&Jail, &request, Default::default())
        };
        let somebody = Policy::confine("/srv/x").user(User::Id(Uid::new(80).unwrap()));
        assert!(!Jail.stays_outside(&somebody.allow(Allow::RootUser).build().unwrap()));
        let powers = [Guarantee::PrivilegesEmpty, Guarantee::NoNewRoot];
        let powerless = plan(Mode::Spawn, &[Allow::RootUser]).unwrap();
        let seal = powerless.steps().find(|s| s.name() == isol_core::step_names::JAIL_SEAL);
        assert!(powers.iter().all(|g| seal.unwrap().establishes().contains(g)));
        assert!(powers.iter().all(|&g| powerless.guarantees().contains(g)));
        for mode in [Mode::Exec, Mode::Enter] {
            let refused = plan(mode, &[Allow::RootUser]).unwrap_err().problem().to_string();
            assert!(refused.contains("can't do uid 0 without the superuser's powers"), "{refused}");
            let superuser = plan(mode, &[Allow::RootUser, Allow::Superuser]).unwrap();
            assert!(powers.iter().all(|&g| superuser.relaxed().contains(g)));
        }
    }

    #[test]
    fn mounts_take_somebody_who_takes_them_away() {
        let uid = Uid::new(70_000).unwrap();
        let identity = Identity::Fixed(Ids::new(uid, Gid::new(70_000).unwrap(), Vec::new()));
        let plan = |mode| {
            let policy = Policy::confine("/srv/x").user(User::Id(uid)).read_only(true);
            let policy = policy.build().unwrap();
            assert!(Jail.stays_outside(&policy));
            let (policy, identity) = (&policy, &identity);
            let request = Request { policy, identity, mode, command: None, os: Os::FreeBsd };
            isol_steps::assemble(&Jail, &request, Default::default())
        };
        let spawned = plan(Mode::Spawn).unwrap();
        let names: Vec<_> = spawned.steps().map(|step| step.name()).collect();
        assert!(names.contains(&isol_core::step_names::JAIL_MOUNTS), "{names:?}");
        for mode in [Mode::Exec, Mode::Enter] {
            let refused = plan(mode).unwrap_err().problem().to_string();
            assert!(
                refused.contains("jail can't do --read-only: somebody has to outlive"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_parameter_that_loosens_the_jail_is_paid_for() {
        let uid = Uid::new(70_000).unwrap();
        let ids = Ids::new(uid, Gid::new(70_000).unwrap(), Vec::new());
        let identity = Identity::Fixed(ids);
        let plan = |require: Option<Guarantee>| {
            let parameters = ["sysvshm=inherit".parse().unwrap()];
            let policy = Policy::confine("/srv/x").user(User::Id(uid)).parameters(parameters);
            let policy = require.into_iter().fold(policy, |p, g| p.require(g)).build().unwrap();
            let (policy, identity) = (&policy, &identity);
            let (mode, os) = (Mode::Exec, Os::FreeBsd);
            let request = Request { policy, identity, mode, command: None, os };
            isol_steps::assemble(&Jail, &request, Default::default())
        };
        let free = plan(None).unwrap();
        assert!(free.relaxed().contains(Guarantee::IpcPrivate));
        assert!(!free.guarantees().contains(Guarantee::IpcPrivate));
        let refused = plan(Some(Guarantee::IpcPrivate)).unwrap_err().problem().to_string();
        assert!(refused.contains("--jail-param sysvshm=inherit gives it up"), "{refused}");
    }

    #[test]
    fn the_network_is_confined_where_the_policy_says_so() {
        let claims =
            |network| plan(Mode::Spawn, network).guarantees().contains(Guarantee::NetworkConfined);
        assert!(claims(Network::None) && !claims(Network::Unsaid) && !claims(Network::Host));
    }
}
