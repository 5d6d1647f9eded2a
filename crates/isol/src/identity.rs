//! From the names in a policy to numbers, by the host's databases.

mod caller;

use isol_core::{Allow, Gid, Group, Identity, Ids, PlanError, Policy, PolicyError, User, nearest};
use isol_sys::users::{self, Account};

pub(crate) use caller::caller;

/// Who the user and the groups of a policy are on this host, and whether the policy lets them be that.
///
/// # Errors
/// [`PlanError`] for a name that is not known, and for root's own ids unless they are allowed.
///
/// # References
/// getpwnam_r(3), getgrnam_r(3)
pub fn resolve(policy: &Policy) -> Result<Identity, PlanError> {
    let groups = policy.groups.iter().map(|g| gid_of(g, "group")).collect::<Result<Vec<_>, _>>()?;
    let (account, uid) = match &policy.user {
        User::Auto if policy.group.is_some() => return Err(group_for_nobody()),
        User::Auto => {
            check_groups(policy, &groups)?;
            return Ok(Identity::Auto { groups });
        }
        User::Name(name) => {
            let account = by_name(name)?;
            let uid = account.uid;
            (Some(account), uid)
        }
        // Who it is matters only for its group.
        User::Id(uid) if policy.group.is_some() => (None, *uid),
        User::Id(uid) => {
            let failed = |errno| PlanError::LookUp { what: "user", name: uid.to_string(), errno };
            (users::by_uid(*uid).map_err(failed)?, *uid)
        }
    };
    let gid = match (&policy.group, account) {
        (Some(group), _) => gid_of(group, "primary group")?,
        (None, Some(Account { gid, .. })) => gid,
        (None, None) => Gid::new(uid.get()).ok_or(PolicyError::NoChangeId)?,
    };
    if uid.is_root() && !policy.allow.contains(Allow::RootUser) {
        return Err(PolicyError::RootUser.into());
    }
    // Root's own group comes with root; another's, or root's for somebody else, is asked for.
    if !uid.is_root() {
        check_groups(policy, &[gid])?;
    }
    check_groups(policy, &groups)?;
    Ok(Identity::Fixed(Ids::new(uid, gid, groups)))
}

/// Whether the user of a policy is uid 0, and may be.
pub(crate) fn is_root(policy: &Policy) -> bool {
    match &policy.user {
        User::Name(name) if policy.allow.contains(Allow::RootUser) => {
            users::by_name(name).is_ok_and(|found| found.is_some_and(|a| a.uid.is_root()))
        }
        User::Name(_) | User::Auto => false,
        User::Id(uid) => uid.is_root(),
    }
}

/// The policy has looked at the numbers that it names; a name can be root's too.
fn check_groups(policy: &Policy, groups: &[Gid]) -> Result<(), PlanError> {
    if groups.iter().any(|g| g.is_root()) && !policy.allow.contains(Allow::RootGroup) {
        Err(PolicyError::RootGroup.into())
    } else {
        Ok(())
    }
}

fn group_for_nobody() -> PlanError {
    PlanError::CantHonour {
        backend: "isol",
        what: "a group of one's choice for an allotted uid".into(),
        reason: "the gid has the uid's number, so that it is unused too".into(),
        help: Some("leave the group out, or add it with --groups".into()),
    }
}

/// Who a user and a group are, by the host's databases, as for a run; and what the user is called there.
///
/// # Errors
/// The name is not known, or the databases could not be asked.
///
/// # References
/// getpwnam_r(3), getgrnam_r(3)
///
/// ```
/// let root = isol::User::Id(isol::Uid::new(0).unwrap());
/// let (ids, name) = isol::look_up(root, None)?;
/// assert!(ids.uid.is_root() && name.is_some());
/// # Ok::<(), isol::Error>(())
/// ```
pub fn look_up(user: User, group: Option<Group>) -> Result<(Ids, Option<String>), crate::Error> {
    let anybody = Policy::confine("/srv").user(user).allow(Allow::RootUser).allow(Allow::RootGroup);
    let policy = match group {
        Some(group) => anybody.group(group),
        None => anybody,
    };
    match resolve(&policy.build().map_err(PlanError::from)?)? {
        Identity::Fixed(ids) => {
            let failed =
                |errno| PlanError::LookUp { what: "user", name: ids.uid.to_string(), errno };
            let account = users::by_uid(ids.uid).map_err(failed)?;
            Ok((ids, account.map(|account| account.name)))
        }
        _ => Err(PlanError::CantHonour {
            backend: "isol",
            what: "a user that is allotted when a program starts".into(),
            reason: "nobody can be looked up yet".into(),
            help: Some("name a user".into()),
        }
        .into()),
    }
}

fn by_name(name: &str) -> Result<Account, PlanError> {
    let what = "user";
    users::by_name(name)
        .map_err(|errno| PlanError::LookUp { what, name: name.to_owned(), errno })?
        .ok_or_else(|| unknown(what, name, "/etc/passwd"))
}

fn gid_of(group: &Group, what: &'static str) -> Result<Gid, PlanError> {
    match group {
        Group::Id(gid) => Ok(*gid),
        Group::Name(name) => users::group_by_name(name)
            .map_err(|errno| PlanError::LookUp { what, name: name.clone(), errno })?
            .ok_or_else(|| unknown(what, name, "/etc/group")),
    }
}

fn unknown(what: &'static str, name: &str, file: &str) -> PlanError {
    let known = users::known_names(file);
    let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
    PlanError::UnknownName { what, name: name.to_owned(), nearest }
}
