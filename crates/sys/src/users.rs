//! The host's user and group databases. Asked before the root changes, never behind
//! it: there the answers, and the modules that give them, would be the root's own.

use isol_core::{Errno, Gid, Uid};
use nix::unistd::{Group, User};

use crate::errno::from_nix;

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

fn account(user: User) -> Option<Account> {
    let (uid, gid) = (Uid::new(user.uid.as_raw())?, Gid::new(user.gid.as_raw())?);
    Some(Account { name: user.name, uid, gid })
}

/// A user by its name; `None` if there is none.
///
/// # Errors
/// The database could not be asked.
///
/// # References
/// getpwnam_r(3)
pub fn by_name(name: &str) -> Result<Option<Account>, Errno> {
    Ok(User::from_name(name).map_err(from_nix)?.and_then(account))
}

/// A user by its uid; `None` if there is none.
///
/// # Errors
/// The database could not be asked.
///
/// # References
/// getpwuid_r(3)
pub fn by_uid(uid: Uid) -> Result<Option<Account>, Errno> {
    let uid = nix::unistd::Uid::from_raw(uid.get());
    Ok(User::from_uid(uid).map_err(from_nix)?.and_then(account))
}

/// A group by its name; `None` if there is none.
///
/// # Errors
/// The database could not be asked.
///
/// # References
/// getgrnam_r(3)
pub fn group_by_name(name: &str) -> Result<Option<Gid>, Errno> {
    Ok(Group::from_name(name).map_err(from_nix)?.and_then(|g| Gid::new(g.gid.as_raw())))
}

/// Whether a gid has an entry.
///
/// # Errors
/// The database could not be asked.
///
/// # References
/// getgrgid_r(3)
pub fn group_exists(gid: Gid) -> Result<bool, Errno> {
    let gid = nix::unistd::Gid::from_raw(gid.get());
    Ok(Group::from_gid(gid).map_err(from_nix)?.is_some())
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
    fn root_is_known_and_a_stranger_is_not() {
        assert_eq!(by_name("root").unwrap().unwrap().uid, Uid::ROOT);
        assert_eq!(by_name("no-such-user-here").unwrap(), None);
        assert_eq!(by_uid(Uid::new(4_000_000_001).unwrap()).unwrap(), None);
        assert_eq!(group_by_name("no-such-group-here").unwrap(), None);
    }
}
