//! What killed runs have left behind.

use std::path::Path;

use isol_steps::{SYSLOG_LOCK, StaleUid, sweep_syslog, sweep_uid};
use isol_sys::state::Lock;

use crate::looking;

/// Takes away what runs that were killed by `SIGKILL` have left: their processes, their
/// throw-away roots, their sockets in other roots, their holds on uids. What belongs to a living run is held by a
/// lock and stays. Quick where there is nothing; needs root, and does nothing without.
///
/// True if there was anything of another run, dead or alive. One that was being killed just then may have held its locks
/// for a moment longer, and it is worth to sweep again.
///
/// # References
/// flock(2)
pub fn sweep() -> bool {
    looking::sweep_roots(|lock| match lock.name() {
        name if name.starts_with(PROOF_LOCK) => proof_is_gone(lock),
        name if name.starts_with(isol_jail::MOUNTS_LOCK) => isol_jail::sweep_mounts(lock),
        name if name.starts_with(SYSLOG_LOCK) => sweep_syslog(lock),
        _ => sweep_uid(lock) == StaleUid::Gone,
    })
}

/// What the lock of a proof is called that attacks roots of its own making, before its number.
#[doc(hidden)]
pub const PROOF_LOCK: &str = "prove-";

/// What the directory is called that is noted in such a lock, before its number.
#[doc(hidden)]
pub const PROOF_DIRECTORY: &str = "isol-prove-";

/// Removes what a killed proof has made: the directory that it noted down, and what is mounted there still.
fn proof_is_gone(lock: &Lock) -> bool {
    let Ok((_, noted)) = lock.payload() else { return false };
    let path = Path::new(&noted);
    let named =
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PROOF_DIRECTORY));
    if !path.is_absolute() || !named {
        return noted.is_empty();
    }
    // What can't be unmounted can't be removed either, and stays for the next sweep.
    if isol_sys::unmount::below(path).is_err() {
        return false;
    }
    match std::fs::remove_dir_all(path) {
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        Ok(()) => true,
    }
}
