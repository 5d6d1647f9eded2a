//! What killed runs have left behind.

use isol_steps::{StaleUid, sweep_uid};

use crate::looking;

/// Takes away what runs that were killed by `SIGKILL` have left: their processes, their
/// throw-away roots, their holds on uids. What belongs to a living run is held by a
/// lock and stays. Quick where there is nothing; needs root, and does nothing without.
///
/// # References
/// flock(2)
pub fn sweep() {
    looking::sweep_roots(|lock| sweep_uid(lock) == StaleUid::Gone);
}
