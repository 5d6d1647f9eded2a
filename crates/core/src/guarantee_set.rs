//! A set of guarantees.

use crate::Guarantee;

/// A set of [`Guarantee`]s, iterated in the order of [`Guarantee::ALL`].
///
/// ```
/// use isol_core::{Guarantee, GuaranteeSet};
/// let set: GuaranteeSet = [Guarantee::UidDropped].into_iter().collect();
/// assert!(set.contains(Guarantee::UidDropped));
/// assert!(!set.contains(Guarantee::PidsHidden));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuaranteeSet(u32);

impl GuaranteeSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    const fn bit(guarantee: Guarantee) -> u32 {
        1 << guarantee as u8
    }

    /// Adds one.
    pub const fn insert(&mut self, guarantee: Guarantee) {
        self.0 |= Self::bit(guarantee);
    }

    /// Takes one out.
    pub const fn remove(&mut self, guarantee: Guarantee) {
        self.0 &= !Self::bit(guarantee);
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn contains(self, guarantee: Guarantee) -> bool {
        self.0 & Self::bit(guarantee) != 0
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in this set or in the other.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The members, in printing order.
    pub fn iter(self) -> impl Iterator<Item = Guarantee> {
        Guarantee::ALL.into_iter().filter(move |&g| self.contains(g))
    }
}

impl FromIterator<Guarantee> for GuaranteeSet {
    fn from_iter<I: IntoIterator<Item = Guarantee>>(iter: I) -> Self {
        let mut set = Self::EMPTY;
        set.extend(iter);
        set
    }
}

impl Extend<Guarantee> for GuaranteeSet {
    fn extend<I: IntoIterator<Item = Guarantee>>(&mut self, iter: I) {
        for guarantee in iter {
            self.insert(guarantee);
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for GuaranteeSet {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for GuaranteeSet {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Vec::<Guarantee>::deserialize(d)?.into_iter().collect())
    }
}
