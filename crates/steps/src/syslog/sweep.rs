//! The socket that a killed run has left in a root.

use std::os::fd::AsFd;
use std::path::Path;

use isol_core::{Os, RootHandle, Syslog, Uid};
use isol_sys::state::{Lock, StateError};
use isol_sys::syslog::{Place, PlaceError};
use isol_sys::{ids, rootdir};

/// What the hold on a root is called from which messages are relayed, before its device and inode number.
pub const LOCK: &str = "syslog-";

/// Notes down, for whoever finds the hold after a crash, in which root the socket stands.
pub(super) fn note(hold: &Lock, root: &RootHandle, inside: &str) -> Result<(), StateError> {
    hold.set_payload(&format!("{} {} {inside}\n{}", root.device, root.inode, root.path.display()))
}

/// Removes the socket that a killed run has left in the root that `lock` held; whether the lock can go. What is
/// not that root any more, or no socket, or somebody's who listens, is left alone.
#[must_use]
pub fn sweep_syslog(lock: &Lock) -> bool {
    let Ok((_, noted)) = lock.payload() else { return false };
    let Some((id, inside, path)) = read(&noted) else { return true };
    let user = Uid::new(ids::effective_uid()).filter(|uid| !uid.is_root());
    let opened = match user {
        None => rootdir::open(Path::new(path)),
        Some(user) => rootdir::open_own(Path::new(path), user),
    };
    let Ok(root) = opened else { return true };
    if root.id() != id {
        return true;
    }
    match Place::open(root.as_fd(), root.path(), inside, false, user) {
        // One that can't be removed now is tried again.
        Ok(place) => !matches!(place.clear(), Err(PlaceError::Io { .. })),
        Err(_) => true,
    }
}

/// Device and inode number of the root, the socket in it, and where the root is.
fn read(noted: &str) -> Option<((u64, u64), &'static str, &str)> {
    let (numbers, path) = noted.split_once('\n')?;
    let mut words = numbers.split(' ');
    let id = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let noted = words.next()?;
    let mut known = [Os::Linux, Os::FreeBsd].into_iter().filter_map(Syslog::inside);
    let inside = known.find(|inside| *inside == noted)?;
    Some((id, inside, path))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_note_is_read_back_and_noise_is_none() {
        assert_eq!(read("17 42 dev/log\n/srv/a b"), Some(((17, 42), "dev/log", "/srv/a b")));
        for noise in ["", "17 42", "17 42 etc/passwd\n/", "x 42 dev/log\n/srv"] {
            assert_eq!(read(noise), None);
        }
    }
}
