//! Asked through the C library, which knows who answers.

use isol_core::{Errno, Gid, Uid};
use nix::unistd::{Group, User};

use super::Account;
use crate::errno::from_nix;

fn account(user: User) -> Option<Account> {
    let (uid, gid) = (Uid::new(user.uid.as_raw())?, Gid::new(user.gid.as_raw())?);
    Some(Account { name: user.name, uid, gid })
}

pub(super) fn by_name(name: &str) -> Result<Option<Account>, Errno> {
    Ok(User::from_name(name).map_err(from_nix)?.and_then(account))
}

pub(super) fn by_uid(uid: Uid) -> Result<Option<Account>, Errno> {
    let uid = nix::unistd::Uid::from_raw(uid.get());
    Ok(User::from_uid(uid).map_err(from_nix)?.and_then(account))
}

pub(super) fn group_by_name(name: &str) -> Result<Option<Gid>, Errno> {
    Ok(Group::from_name(name).map_err(from_nix)?.and_then(|g| Gid::new(g.gid.as_raw())))
}

pub(super) fn group_exists(gid: Gid) -> Result<bool, Errno> {
    let gid = nix::unistd::Gid::from_raw(gid.get());
    Ok(Group::from_gid(gid).map_err(from_nix)?.is_some())
}
