//! Who an ordinary user's program is: himself, or somebody whom an administrator has given him.

use isol_core::{
    Allow, Gid, Given, IdRange, Identity, Ids, PlanError, Policy, PolicyError, Uid, User,
};
use isol_sys::subids::{self, Row};
use isol_sys::users;

use super::{by_name, check_groups, gid_of};

/// How many ids there are inside for uid 0 to give away, itself included.
const INSIDE: u32 = 1 << 16;

/// The ids of a policy, for an ordinary user. Himself, or uid 0 that is he outside, takes nobody's leave. Others, and groups,
/// are among the ids that he has been given for user namespaces: the Nth one is N inside, as for Podman.
///
/// # Errors
/// [`PlanError`] for a name that is not known, for root's own ids unless they are allowed, and for ids that he can't be.
///
/// # References
/// subuid(5), subgid(5), newuidmap(1)
pub(crate) fn caller(policy: &Policy) -> Result<Identity, PlanError> {
    let own = own()?;
    let asked = asked(policy, own)?;
    if asked.uid.is_root() && !policy.allow.contains(Allow::RootUser) {
        return Err(PolicyError::RootUser.into());
    }
    if !asked.uid.is_root() {
        check_groups(policy, &[asked.gid])?;
    }
    check_groups(policy, &asked.groups)?;
    let alone = asked.groups.is_empty()
        && (asked.uid.is_root() && asked.gid.is_root() || (asked.uid, asked.gid) == own);
    if alone && !asked.uid.is_root() {
        return Ok(Identity::Fixed(asked));
    }
    match isol_namespaces::given() {
        Ok(rows) => given(asked, own, &rows.uids, &rows.gids).map(Identity::Given),
        // Uid 0 is there, and nobody whom it could become.
        Err(_) if alone => Ok(Identity::Fixed(asked)),
        Err(lacking) => Err(PlanError::CantHonour {
            backend: isol_namespaces::NAME,
            what: in_words(&asked, own),
            reason: format!(
                "an ordinary user can only be himself, without ids that he has been given: {}",
                lacking.why
            ),
            help: Some(format!("{}; or run it as root", lacking.help)),
        }),
    }
}

type Own = (Uid, Gid);

fn own() -> Result<Own, PlanError> {
    let (uid, gid) = (isol_sys::ids::effective_uid(), isol_sys::ids::effective_gid());
    Ok(Uid::new(uid).zip(Gid::new(gid)).ok_or(PolicyError::NoChangeId)?)
}

fn asked(policy: &Policy, own: Own) -> Result<Ids, PlanError> {
    let groups = policy.groups.iter().map(|g| gid_of(g, "group")).collect::<Result<Vec<_>, _>>()?;
    let of_uid = |uid: Uid| match uid {
        uid if uid == own.0 => Ok(own.1),
        uid if uid.is_root() => Gid::new(0).ok_or(PolicyError::NoChangeId.into()),
        uid => {
            let failed = |errno| PlanError::LookUp { what: "user", name: uid.to_string(), errno };
            let account = users::by_uid(uid).map_err(failed)?;
            let same = Gid::new(uid.get()).ok_or(PolicyError::NoChangeId)?;
            Ok::<_, PlanError>(account.map_or(same, |account| account.gid))
        }
    };
    let uid = match &policy.user {
        User::Auto => own.0,
        User::Id(uid) => *uid,
        User::Name(name) => by_name(name)?.uid,
    };
    let gid = match &policy.group {
        Some(group) => gid_of(group, "primary group")?,
        None => of_uid(uid)?,
    };
    Ok(Ids::new(uid, gid, groups))
}

/// What of it is more than himself.
fn in_words(asked: &Ids, own: Own) -> String {
    let mut words = Vec::new();
    if asked.uid != own.0 && !asked.uid.is_root() {
        words.push(format!("uid {}", asked.uid));
    }
    if asked.gid != own.1 && !asked.gid.is_root() {
        words.push(format!("gid {}", asked.gid));
    }
    if !asked.groups.is_empty() {
        words.push("a choice of groups".into());
    }
    if words.is_empty() {
        format!("uid {} with gid {}", asked.uid, asked.gid)
    } else {
        words.join(", ")
    }
}

/// All ids for uid 0, who can become any of them; for everybody else his own alone.
fn given(ids: Ids, own: Own, uids: &[Row], gids: &[Row]) -> Result<Given, PlanError> {
    let (own_uid, own_gid) = (own.0.get(), own.1.get());
    let (uids, gids) = if ids.uid.is_root() {
        (all(own_uid, uids), all(own_gid, gids))
    } else {
        let wanted = std::iter::once(&ids.gid).chain(&ids.groups).map(|gid| gid.get());
        let (uid, gids) = (single(ids.uid.get(), own_uid, uids), singles(wanted, own_gid, gids));
        (uid.into_iter().collect(), gids)
    };
    let outside = outside(&ids, &uids, &gids)?;
    Ok(Given { ids, outside, uids, gids })
}

/// Uid 0 is the user himself, and the others those that he has been given, in their order.
fn all(own: u32, rows: &[Row]) -> Vec<IdRange> {
    let mut ranges = vec![IdRange { inside: 0, outside: own, count: 1 }];
    let mut inside = 1;
    for row in rows {
        let count = row.count.min(INSIDE - inside);
        if count > 0 {
            ranges.push(IdRange { inside, outside: row.first, count });
        }
        inside += count;
    }
    ranges
}

fn singles(wanted: impl Iterator<Item = u32>, own: u32, rows: &[Row]) -> Vec<IdRange> {
    wanted.filter_map(|id| single(id, own, rows)).collect()
}

/// One's own id stays what it is; another is outside what it is for uid 0.
fn single(id: u32, own: u32, rows: &[Row]) -> Option<IdRange> {
    let as_for_root = || all(own, rows).iter().find_map(|range| range.outside_of(id));
    let outside = if id == own { Some(own) } else { as_for_root() };
    outside.map(|outside| IdRange { inside: id, outside, count: 1 })
}

fn outside(ids: &Ids, uids: &[IdRange], gids: &[IdRange]) -> Result<Ids, PlanError> {
    let of = |ranges: &[IdRange], id: u32, what: &str, file: &str| {
        ranges.iter().find_map(|range| range.outside_of(id)).ok_or_else(|| {
            PlanError::CantHonour {
                backend: isol_namespaces::NAME,
                what: format!("{what} {id}"),
                reason: format!("{file} gives fewer ids than that: the Nth one is N inside"),
                help: Some("a lower one, or `usermod --add-subuids FIRST-LAST --add-subgids FIRST-LAST USER` with more   (as root)".into()),
            }
        })
    };
    let none = PolicyError::NoChangeId;
    let uid = of(uids, ids.uid.get(), "uid", subids::UIDS)?;
    let gid = of(gids, ids.gid.get(), "gid", subids::GIDS)?;
    let mut groups = Vec::with_capacity(ids.groups.len());
    for group in &ids.groups {
        let group = of(gids, group.get(), "group", subids::GIDS)?;
        groups.push(Gid::new(group).ok_or(none.clone())?);
    }
    let (uid, gid) = Uid::new(uid).zip(Gid::new(gid)).ok_or(none)?;
    // The kernel takes no id twice.
    if groups.contains(&gid) {
        return Err(PlanError::CantHonour {
            backend: isol_namespaces::NAME,
            what: "gid 0 beside one's own".into(),
            reason: "outside both are the ordinary user's own".into(),
            help: Some("leave one of them out".into()),
        });
    }
    Ok(Ids::new(uid, gid, groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u32 = 1000;
    const ROWS: [Row; 2] =
        [Row { first: 100_000, count: 10 }, Row { first: 300_000, count: 90_000 }];

    fn of(uid: u32, gid: u32, groups: &[u32]) -> Result<Given, PlanError> {
        let gid_of = |g| Gid::new(g).unwrap();
        let groups = groups.iter().copied().map(gid_of).collect();
        let ids = Ids::new(Uid::new(uid).unwrap(), gid_of(gid), groups);
        given(ids, (Uid::new(OWN).unwrap(), gid_of(OWN)), &ROWS, &ROWS)
    }

    fn range(inside: u32, outside: u32, count: u32) -> IdRange {
        IdRange { inside, outside, count }
    }

    #[test]
    fn the_nth_that_he_has_been_given_is_n_inside_and_nobody_else_is_there() {
        let found = of(1, 10, &[11]).unwrap();
        assert_eq!(found.uids, [range(1, 100_000, 1)]);
        assert_eq!(found.gids, [range(10, 100_009, 1), range(11, 300_000, 1)]);
        assert_eq!((found.outside.uid.get(), found.outside.gid.get()), (100_000, 100_009));
        assert_eq!(found.outside.groups, [Gid::new(300_000).unwrap()]);
    }

    #[test]
    fn his_own_ids_stay_his_own() {
        let found = of(OWN, OWN, &[5]).unwrap();
        assert_eq!(found.uids, [range(OWN, OWN, 1)]);
        assert_eq!(found.gids, [range(OWN, OWN, 1), range(5, 100_004, 1)]);
    }

    #[test]
    fn uid_0_is_he_and_has_all_the_others() {
        let found = of(0, 0, &[]).unwrap();
        assert_eq!(
            found.uids,
            [range(0, OWN, 1), range(1, 100_000, 10), range(11, 300_000, 65_525)]
        );
        assert_eq!(found.outside.uid.get(), OWN);
    }

    #[test]
    fn more_than_he_has_been_given_is_refused_and_so_is_one_twice() {
        assert!(matches!(of(65_536, 1, &[]), Err(PlanError::CantHonour { .. })));
        assert!(matches!(of(1, 1, &[70_000]), Err(PlanError::CantHonour { .. })));
        assert!(matches!(of(1, 0, &[OWN]), Err(PlanError::CantHonour { .. })));
        assert!(matches!(of(1, OWN, &[0]), Err(PlanError::CantHonour { .. })));
    }
}
