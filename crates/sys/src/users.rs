//! The host's user and group databases. Asked before the root changes, never behind
//! it: there the answers, and the modules that give them, would be the root's own.

use isol_core::{Errno, Gid, Uid};

cfg_if::cfg_if! {
    if #[cfg(all(
        target_os = "linux",
        any(target_env = "musl", all(target_env = "gnu", target_feature = "crt-static"))
    ))] {
        #[path = "users/without_modules.rs"]
        mod system;
    } else {
        #[path = "users/library.rs"]
        mod system;
        // What only static programs use is tested with every build.
        #[cfg(all(test, target_os = "linux", target_env = "gnu"))]
        mod without_modules;
    }
}

/// A user that the database knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: Uid,
    /// Its primary group.
    pub gid: Gid,
}

/// A user by its name; `None` if there is none.
///
/// # Errors
/// The database could not be asked.
///
/// # References
/// getpwnam_r(3)
pub fn by_name(name: &str) -> Result<Option<Account>, Errno> {
    system::by_name(name)
}

/// A user by its uid; `None` if there is none.
///
/// # Errors
/// The database could not be asked.
///
/// # References
/// getpwuid_r(3)
pub fn by_uid(uid: Uid) -> Result<Option<Account>, Errno> {
    system::by_uid(uid)
}

/// A group by its name; `None` if there is none.
///
/// # Errors
/// The database could not be asked.
///
/// # References
/// getgrnam_r(3)
pub fn group_by_name(name: &str) -> Result<Option<Gid>, Errno> {
    system::group_by_name(name)
}

/// Whether a gid has an entry.
///
/// # Errors
/// The database could not be asked.
///
/// # References
/// getgrgid_r(3)
pub fn group_exists(gid: Gid) -> Result<bool, Errno> {
    system::group_exists(gid)
}

/// The names in the local file behind a database, for 'did you mean': never for a decision.
#[must_use]
pub fn known_names(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|l| l.split(':').next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn root_is_known_and_a_stranger_is_not() {
        assert_eq!(by_name("root").unwrap().unwrap().uid, Uid::ROOT);
        assert_eq!(by_name("no-such-user-here").unwrap(), None);
        assert_eq!(by_uid(Uid::new(4_000_000_001).unwrap()).unwrap(), None);
        assert_eq!(group_by_name("no-such-group-here").unwrap(), None);
    }

    #[cfg(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static")))]
    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn without_modules_the_answers_are_the_same() {
        for name in known_names("/etc/passwd") {
            assert_eq!(without_modules::by_name(&name), by_name(&name), "{name}");
        }
        for name in known_names("/etc/group") {
            assert_eq!(without_modules::group_by_name(&name), group_by_name(&name), "{name}");
        }
        for id in (0..200).chain([65_534, 61_184, 4_000_000_001]) {
            let (uid, gid) = (Uid::new(id).unwrap(), Gid::new(id).unwrap());
            // Who is not in the files is asked for by a program each: a few of them are enough.
            if !(5..=1000).contains(&id) || by_uid(uid).unwrap().is_some() {
                assert_eq!(without_modules::by_uid(uid), by_uid(uid), "{id}");
                assert_eq!(without_modules::group_exists(gid), group_exists(gid), "{id}");
            }
        }
    }
}
