//! In a program that glibc is linked into statically.
//!
//! Such a program must not ask glibc: it would load the modules that answer, made for another
//! glibc than its own. So the local files are read here where they are what is asked first
//! (nsswitch.conf(5) says `files` before all else), and who else there is, a directory service
//! for instance, is asked by getent(1), a program with a glibc that fits its modules.

#[path = "without_modules/files.rs"]
mod files;
#[path = "without_modules/getent.rs"]
mod getent;

use std::fs;

use isol_core::{Errno, Gid, Uid};

use super::Account;
use files::{Entry, First, Key};

pub(super) fn by_name(name: &str) -> Result<Option<Account>, Errno> {
    Ok(look_up("passwd", Key::Name(name))?.and_then(account))
}

pub(super) fn by_uid(uid: Uid) -> Result<Option<Account>, Errno> {
    Ok(look_up("passwd", Key::Id(uid.get()))?.and_then(account))
}

pub(super) fn group_by_name(name: &str) -> Result<Option<Gid>, Errno> {
    Ok(look_up("group", Key::Name(name))?.and_then(|entry| Gid::new(entry.id)))
}

pub(super) fn group_exists(gid: Gid) -> Result<bool, Errno> {
    Ok(look_up("group", Key::Id(gid.get()))?.is_some())
}

fn account(entry: Entry) -> Option<Account> {
    Some(Account { uid: Uid::new(entry.id)?, gid: Gid::new(entry.gid?)?, name: entry.name })
}

fn look_up(database: &'static str, key: Key<'_>) -> Result<Option<Entry>, Errno> {
    // Whatever can't be read or understood here is for getent(1) to answer.
    let switch = fs::read("/etc/nsswitch.conf").unwrap_or_default();
    let first = files::first_source(&switch, database);
    if let First::Files { alone } = first
        && let Ok(text) = fs::read(format!("/etc/{database}"))
    {
        match files::find(&text, database, key) {
            Ok(Some(entry)) => return Ok(Some(entry)),
            Ok(None) if alone => return Ok(None),
            Ok(None) | Err(files::Unclear) => {}
        }
    }
    getent::look_up(database, key)
}
