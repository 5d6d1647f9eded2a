//! Who has a proof made: root, or an ordinary user, who can try less.

use std::io;

use isol_core::{Guarantee, PrepareError, Uid};
use isol_steps::HeldUid;
use isol_sys::ids;

/// The uid of an ordinary user; `None` for root.
pub(crate) fn ordinary() -> Option<u32> {
    Some(ids::effective_uid()).filter(|&uid| uid != 0)
}

/// Whom an ordinary user's program is where it is to be somebody whom he has been given: no account's, and
/// among the first ids of what distributions give.
pub(crate) const GIVEN: u32 = 4343;

/// Whether a guarantee holds only for somebody whom the ordinary user has been given.
pub(crate) fn takes_a_given(guarantee: Guarantee) -> bool {
    ordinary().is_some() && matches!(guarantee, Guarantee::GroupsExact | Guarantee::UidDedicated)
}

/// The uid that the attackers get.
#[derive(Debug)]
pub(crate) enum Attacker {
    /// One that nobody has.
    Held(HeldUid),
    /// The ordinary user's own.
    Own(u32),
}

impl Attacker {
    pub(crate) fn find() -> Result<Self, PrepareError> {
        match ordinary() {
            Some(uid) => Ok(Self::Own(uid)),
            None => HeldUid::find().map(Self::Held),
        }
    }

    pub(crate) fn uid(&self) -> u32 {
        match self {
            Self::Held(held) => held.uid().get(),
            Self::Own(uid) => *uid,
        }
    }
}

/// Ends all that runs under an attacker's uid; never what is the ordinary user's own.
pub(crate) fn end_all_of(uid: u32) {
    if Some(uid) != ordinary()
        && let Some(uid) = Uid::new(uid)
    {
        let _ = isol_sys::process::kill_all_of(uid);
    }
}

/// What an ordinary user may not do is left out.
pub(crate) fn unless_denied<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(error) if ordinary().is_some() && denied(&error) => Ok(None),
        other => other.map(Some),
    }
}

fn denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}
