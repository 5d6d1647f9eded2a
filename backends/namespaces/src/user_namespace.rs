//! A user namespace, made by root.

use std::sync::Arc;
use std::time::Duration;

use isol_core::{
    Gid, Guarantee, IdRange, Ids, Phase, PrepareError, Problem, Scene, Step, Uid, step_names,
};
use isol_sys::namespaces;
use isol_sys::state::{Byte, StateDir, StateError};
use isol_sys::{processes, random};

const NAME: &str = step_names::USER_NAMESPACE;

/// Ids that no distribution and no range of systemd's has a use for: 2^31 less 2^28, to 2^31.
const FIRST: u32 = 1_879_048_192;
const COUNT: u32 = 1 << 28;
/// How many ids there are inside for uid 0 to give away.
const INSIDE: u32 = 1 << 16;

/// Makes it, with the program's ids in it, and hands its descriptor on.
#[derive(Debug)]
pub(crate) struct UserNamespace {
    stays_root: bool,
    /// On the ids outside, as long as this is there: ranges of two runs are the same or have nothing in common, and
    /// the same they are not.
    hold: Option<Byte>,
}

impl UserNamespace {
    pub(crate) fn new(stays_root: bool) -> Self {
        Self { stays_root, hold: None }
    }
}

impl Step for UserNamespace {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::Prepare
    }

    fn explains(&self) -> String {
        match self.stays_root {
            true => format!(
                "make a user namespace: uids and gids 0 to {} inside are as many outside that nobody has",
                INSIDE - 1
            ),
            false => {
                "make a user namespace with the program's uid, gid and groups in it and no others"
                    .into()
            }
        }
    }

    fn calls(&self) -> &'static [&'static str] {
        &["clone", "open", "write"]
    }

    fn establishes(&self) -> &'static [Guarantee] {
        &[Guarantee::RootHarmless]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let missing = || Problem::new(NAME, "nobody has said who the program will be", "");
        let ids = scene.ids.clone().ok_or_else(missing)?;
        let (uids, gids) = match self.stays_root {
            true => {
                let (range, hold) = somebody(&mut scene.notes)?;
                self.hold = hold;
                (vec![range], vec![range])
            }
            false => as_outside(&ids),
        };
        let outside = translated(&ids, &uids, &gids)?;
        let made = namespaces::make_user(&uids, &gids).map_err(|error| {
            let problem = Problem::io(NAME, "can't make a user namespace", &error);
            let (why, help) = crate::denied::making(&error);
            Problem { why, ..problem }.help(help)
        })?;
        scene.outside = Some(outside);
        scene.user_namespace = Some(Arc::new(made));
        Ok(())
    }

    fn undo(&mut self) {
        // The namespace goes with its last descriptor.
        self.hold = None;
    }
}

type Ranges = (Vec<IdRange>, Vec<IdRange>);

/// As many ids as there are for uid 0 inside, which nobody has.
fn somebody(notes: &mut Vec<String>) -> Result<(IdRange, Option<Byte>), PrepareError> {
    let state = match StateDir::open() {
        Ok(state) => Some(state),
        Err(error @ StateError::NoPlace { .. }) => {
            notes.push(format!("another isol could choose the same ids for its uid 0: {error}"));
            None
        }
        Err(error) => return Err(unusable(&error).into()),
    };
    for _ in 0..64 {
        let random = random::number()
            .map_err(|e| PrepareError::system(NAME, "can't get a random number", e))?;
        let outside = FIRST + (random % u64::from(COUNT / INSIDE)) as u32 * INSIDE;
        let hold = match &state {
            Some(state) => match state.lock_byte(outside, Duration::ZERO) {
                Ok(None) => continue,
                Ok(hold) => hold,
                Err(error) => return Err(unusable(&error).into()),
            },
            None => None,
        };
        let uid = Uid::new(outside).ok_or_else(|| Problem::new(NAME, "no such uid", ""))?;
        let used = processes::under(uid)
            .map_err(|e| PrepareError::system(NAME, "can't tell who runs under a uid", e))?;
        if used.is_empty() {
            return Ok((IdRange { inside: 0, outside, count: INSIDE }, hold));
        }
    }
    Err(Problem::new(NAME, "no uid is free for uid 0 inside", "").into())
}

fn unusable(error: &StateError) -> Problem {
    error.problem(NAME, "can't hold the ids outside")
}

fn as_outside(ids: &Ids) -> Ranges {
    let same = |id: u32| IdRange { inside: id, outside: id, count: 1 };
    let mut gids = vec![ids.gid.get()];
    gids.extend(ids.groups.iter().map(|group| group.get()));
    (vec![same(ids.uid.get())], gids.into_iter().map(same).collect())
}

/// Whom the kernel takes them for.
fn translated(ids: &Ids, uids: &[IdRange], gids: &[IdRange]) -> Result<Ids, PrepareError> {
    let of = |ranges: &[IdRange], id: u32, what: &str| {
        ranges.iter().find_map(|range| range.outside_of(id)).ok_or_else(|| {
            PrepareError::from(Problem::new(
                NAME,
                format!("{what} {id} can't be had inside"),
                format!("ids up to {} can", INSIDE - 1),
            ))
        })
    };
    let none = || Problem::new(NAME, "no such id", "");
    let uid = Uid::new(of(uids, ids.uid.get(), "uid")?).ok_or_else(none)?;
    let gid = Gid::new(of(gids, ids.gid.get(), "gid")?).ok_or_else(none)?;
    let mut groups = Vec::with_capacity(ids.groups.len());
    for group in &ids.groups {
        groups.push(Gid::new(of(gids, group.get(), "group")?).ok_or_else(none)?);
    }
    Ok(Ids::new(uid, gid, groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(uid: u32, gid: u32, groups: &[u32]) -> Ids {
        let groups = groups.iter().map(|&g| Gid::new(g).unwrap()).collect();
        Ids::new(Uid::new(uid).unwrap(), Gid::new(gid).unwrap(), groups)
    }

    #[test]
    fn uid_0_is_somebody_else_outside_and_so_are_its_groups() {
        let all = [IdRange { inside: 0, outside: FIRST, count: INSIDE }];
        let found = translated(&ids(0, 0, &[7]), &all, &all).unwrap();
        assert_eq!(found, ids(FIRST, FIRST, &[FIRST + 7]));
        assert!(translated(&ids(0, 0, &[INSIDE]), &all, &all).is_err());
    }

    #[test]
    fn ranges_that_are_held_have_nothing_in_common() {
        if isol_sys::ids::effective_uid() != 0 {
            return;
        }
        let all: Vec<_> = (0..40).map(|_| somebody(&mut Vec::new()).unwrap()).collect();
        for (at, (one, hold)) in all.iter().enumerate() {
            assert!(hold.is_some());
            let apart = |other: &IdRange| one.outside.abs_diff(other.outside) >= INSIDE;
            assert!(all[..at].iter().all(|(other, _)| apart(other)), "{all:?}");
        }
    }

    #[test]
    fn another_uid_is_itself_and_nobody_else_is_there() {
        let wanted = ids(80, 81, &[90]);
        let (uids, gids) = as_outside(&wanted);
        assert_eq!(translated(&wanted, &uids, &gids).unwrap(), wanted);
        assert!(translated(&ids(0, 81, &[]), &uids, &gids).is_err());
    }
}
