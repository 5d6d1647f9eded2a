//! What a run that was killed has left under an allotted uid.

use std::time::Duration;

use isol_core::Uid;
use isol_sys::{processes, state::Lock};

use crate::allot_uid::{end_all, is_taken};
use crate::left_behind;

pub(crate) fn lock_name(uid: Uid) -> String {
    format!("uid-{uid}")
}

/// What became of a stale hold on a uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleUid {
    /// Nothing of it is left: the lock can be released.
    Gone,
    /// Something under the uid is left that could not be ended, or is a stranger's: the
    /// lock file must stay, so that nobody is given the uid.
    InUse,
}

/// Ends what a killed run has left under the uid that `lock` held, if it is its own:
/// its root directory is the one that the hold noted down. A stranger who has been
/// given the uid since is left alone.
#[must_use]
pub fn sweep_uid(lock: &Lock) -> StaleUid {
    let uid = lock.name().strip_prefix("uid-").and_then(|n| n.parse().ok()).and_then(Uid::new);
    let Some(uid) = uid.filter(|u| isol_core::AUTO_UIDS.contains(&u.get())) else {
        return StaleUid::Gone;
    };
    let noted = lock.payload().ok().and_then(|(_, text)| noted_root(&text));
    for _ in 0..20 {
        let Ok(left) = processes::under(uid) else { return StaleUid::InUse };
        // One that can't be looked at is ending just now: it is asked again.
        let roots: Vec<_> = left.iter().map(|p| processes::root_identity(p.pid).ok()).collect();
        if left.is_empty() {
            return gone(uid);
        }
        if noted.is_none() || roots.iter().any(|root| root.is_some() && *root != noted) {
            return StaleUid::InUse;
        }
        if roots.iter().all(Option::is_some) && end_all(uid) {
            return gone(uid);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    StaleUid::InUse
}

/// No process is left; nor is anything else, unless somebody has been given the number since.
fn gone(uid: Uid) -> StaleUid {
    if is_taken(uid).unwrap_or(true) || left_behind::remove(uid).is_ok() {
        StaleUid::Gone
    } else {
        StaleUid::InUse
    }
}

fn noted_root(text: &str) -> Option<(u64, u64)> {
    let mut words = text.strip_prefix("root ")?.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::noted_root;

    #[test]
    fn a_note_is_read_back_and_noise_is_none() {
        assert_eq!(noted_root("root 17 42"), Some((17, 42)));
        assert_eq!(noted_root(""), None);
        assert_eq!(noted_root("root x 1"), None);
    }
}
