//! Who the program will be: as the user writes it, and as the kernel takes it.

use std::fmt;
use std::ops::RangeInclusive;

use crate::{Gid, Uid};

/// The uids that [`User::Auto`] chooses from: those that no distribution gives to
/// an account, the same as systemd's `DynamicUser=`.
pub const AUTO_UIDS: RangeInclusive<u32> = 61184..=65519;

/// The user to become, as the policy names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// An unused uid, with a gid of the same number, allotted for as long as the program runs.
    Auto,
    /// A name that the host's user database knows.
    Name(String),
    /// A number.
    Id(Uid),
}

/// A group, as the policy names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// A name that the host's group database knows.
    Name(String),
    /// A number.
    Id(Gid),
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            User::Auto => f.write_str("auto"),
            User::Name(name) => f.write_str(name),
            User::Id(uid) => uid.fmt(f),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Group::Name(name) => f.write_str(name),
            Group::Id(gid) => gid.fmt(f),
        }
    }
}

/// What the kernel is told: every name resolved, before the root changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Real, effective and saved uid.
    pub uid: Uid,
    /// Real, effective and saved gid.
    pub gid: Gid,
    /// The supplementary groups: sorted, without repetitions, without `gid`.
    pub groups: Vec<Gid>,
}

impl Ids {
    /// Sorts the groups and takes out repetitions and the gid itself.
    #[must_use]
    pub fn new(uid: Uid, gid: Gid, mut groups: Vec<Gid>) -> Self {
        groups.sort_unstable();
        groups.dedup();
        groups.retain(|&g| g != gid);
        Self { uid, gid, groups }
    }
}

/// So many ids in a row: the first one inside, the first one outside, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRange {
    /// Inside.
    pub inside: u32,
    /// Outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

impl IdRange {
    /// Whom the kernel takes an id inside for; `None` if it is not in the range.
    ///
    /// ```
    /// let range = isol_core::IdRange { inside: 1, outside: 100_000, count: 10 };
    /// assert_eq!(range.outside_of(3), Some(100_002));
    /// assert_eq!(range.outside_of(11), None);
    /// ```
    #[must_use]
    pub fn outside_of(&self, id: u32) -> Option<u32> {
        let from_first = id.checked_sub(self.inside)?;
        (from_first < self.count).then(|| self.outside.checked_add(from_first))?
    }
}

/// Ids beside his own that an ordinary user has been given, for user namespaces of his own making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Who the program is inside.
    pub ids: Ids,
    /// Whom the kernel takes it for outside.
    pub outside: Ids,
    /// All uids that there are inside.
    pub uids: Vec<IdRange>,
    /// All gids that there are inside.
    pub gids: Vec<IdRange>,
}

/// The identity that a plan is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// To be allotted when the plan is prepared; these groups beside it.
    Auto {
        /// Supplementary groups.
        groups: Vec<Gid>,
    },
    /// Known now.
    Fixed(Ids),
    /// Known now, and others outside.
    Given(Given),
}

impl Identity {
    /// The ids, where they are known.
    #[must_use]
    pub fn ids(&self) -> Option<&Ids> {
        match self {
            Self::Auto { .. } => None,
            Self::Fixed(ids) | Self::Given(Given { ids, .. }) => Some(ids),
        }
    }

    /// The supplementary groups.
    #[must_use]
    pub fn groups(&self) -> &[Gid] {
        match self {
            Self::Auto { groups } => groups,
            Self::Fixed(ids) | Self::Given(Given { ids, .. }) => &ids.groups,
        }
    }

    /// Whether it is uid 0.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.ids().is_some_and(|ids| ids.uid.is_root())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_a_set_without_the_primary_one() {
        let gid = |n| Gid::new(n).unwrap();
        let ids = Ids::new(Uid::new(5).unwrap(), gid(5), vec![gid(9), gid(5), gid(7), gid(9)]);
        assert_eq!(ids.groups, [gid(7), gid(9)]);
    }
}
