//! What killed runs have left mounted.

use std::path::Path;

use isol_sys::state::Lock;

use super::workshop::{LOCK, clear, end_jails};

/// Ends what runs in the jail that a killed run has left, and takes away what is mounted for it; whether the lock can go.
#[must_use]
pub fn sweep(lock: &Lock) -> bool {
    let Ok((_, noted)) = lock.payload() else { return false };
    let Some(workshop) = noted_by(lock.name(), &noted) else { return true };
    end_jails(workshop);
    let cleared = clear(workshop).is_ok();
    // One that was being started meanwhile has found nothing in its root, and ends by itself; a jail keeps nothing up.
    end_jails(workshop);
    cleared
}

/// The directory that a lock stands for. Without a note, or with a part of one, it had not been made yet.
fn noted_by<'a>(lock: &str, noted: &'a str) -> Option<&'a Path> {
    let path = Path::new(noted);
    let is_its_own = path.file_name().is_some_and(|name| name == lock) && lock.starts_with(LOCK);
    (path.is_absolute() && is_its_own).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::noted_by;
    use std::path::Path;

    #[test]
    fn only_a_directory_of_the_lock_s_name_is_swept() {
        let noted = "/var/run/isol/mounts-1f";
        assert_eq!(noted_by("mounts-1f", noted), Some(Path::new(noted)));
        for (lock, noted) in
            [("mounts-2", noted), ("mounts-1f", ""), ("mounts-1f", "mounts-1f"), ("x", "/x")]
        {
            assert_eq!(noted_by(lock, noted), None, "{lock} {noted}");
        }
    }
}
