//! In a program with a C library that can't ask all who know users: musl, or a static glibc.
//!
//! musl knows the local files only. A static glibc would load the modules that answer, made for another
//! glibc than its own. So the local files are read here where they are what is asked first
//! (nsswitch.conf(5) says `files` before all else), and who else there is, a directory service
//! for instance, is asked by getent(1), a program with a glibc that fits its modules. Of systemd's module it can be seen
//! here that it has no answer, where it knows none but the users that its own manager allots.

#[path = "without_modules/files.rs"]
mod files;
#[path = "without_modules/getent.rs"]
mod getent;
#[path = "without_modules/systemd.rs"]
mod systemd;

use std::fs;
use std::io::ErrorKind;

use isol_core::{Errno, Gid, Uid};

use super::Account;
use files::{Behind, Entry, First, Key};

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
    // Whatever can't be read or understood here is for getent(1) to answer. Without the file there is
    // nobody but the local files, unless getent(1) knows better.
    let switch = fs::read("/etc/nsswitch.conf");
    let no_switch = switch.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    let first = match &switch {
        Ok(text) => files::first_source(text, database),
        Err(_) if no_switch => First::Files(Behind::Others),
        Err(_) => First::Another,
    };
    if let First::Files(behind) = first
        && let Ok(text) = fs::read(format!("/etc/{database}"))
    {
        match files::find(&text, database, key) {
            Ok(Some(entry)) => return Ok(Some(entry)),
            Ok(None) if behind == Behind::Nobody => return Ok(None),
            Ok(None) if behind == Behind::Systemd && systemd::HERE.knows_nobody(database, key) => {
                return Ok(None);
            }
            Ok(None) | Err(files::Unclear) => {}
        }
    }
    match getent::look_up(database, key) {
        Err(getent::MISSING) if no_switch => Ok(None),
        answer => answer,
    }
}
