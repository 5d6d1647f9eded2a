//! The bad state that a caller gets itself into before it isolates.
//!
//! Everything here is inherited over execve(2), or over fork(2), and none of it may be there inside.

use std::ffi::OsString;
use std::io;

use isol_core::Errno;
use isol_sys::attempts as sys;
use isol_sys::environment::{self, CStrings};
use isol_sys::privileges;

use crate::agent::KEY;
use crate::attack;
use crate::scenario::Scenario;

/// What stands in the key of the session keyring.
pub(crate) const SESSION_KEY: &str = "isol prove: the caller's session keyring";

/// Variables that a loader or a C library obeys, and one that means nothing.
const VARIABLES: [(&str, &str); 9] = [
    ("LD_PRELOAD", "/tmp/isol-prove-preload.so"),
    ("LD_AUDIT", "/tmp/isol-prove-audit.so"),
    ("LD_LIBRARY_PATH", "/tmp"),
    ("LD_32_PRELOAD", "/tmp/isol-prove-preload.so"),
    ("DYLD_INSERT_LIBRARIES", "/tmp/isol-prove.dylib"),
    ("GCONV_PATH", "/tmp"),
    ("MALLOC_CHECK_", "3"),
    ("MALLOC_CONF", "junk:true"),
    ("ISOL_PROVE_LEFT", "over"),
];

/// The signals that are blocked, and those that are ignored: HUP, QUIT, USR2, TERM.
const BLOCKED: [i32; 3] = [3, 12, 15];
const IGNORED: [i32; 2] = [1, 3];

/// Gets into the state. A system that lacks something is left as it is.
pub(crate) fn all(scenario: &Scenario) -> io::Result<()> {
    std::env::set_current_dir(&scenario.outside)?;
    variables();
    signals()?;
    here(sys::arm_timer(3600))?;
    // An ordinary user could not go back.
    if crate::caller::ordinary().is_none() {
        here(sys::set_nice(5))?;
    }
    here(sys::set_batch())?;
    here(sys::set_io_priority(3 << 13))?;
    pin()?;
    here(sys::set_execution_domain(NO_RANDOM_ADDRESSES))?;
    limits()?;
    keyring();
    here(sys::setgroups(&[0, 1, 4242]))?;
    privileges()?;
    descriptors()?;
    isol_sys::signals::set_umask(0);
    // Behind whatever clears it.
    here(privileges::set_parent_death_signal(15))
}

/// Linux's `ADDR_NO_RANDOMIZE`.
const NO_RANDOM_ADDRESSES: u64 = 0x004_0000;

/// What this system does not have, or this process may not do, is no error.
fn here(answer: Result<(), Errno>) -> io::Result<()> {
    match answer {
        Ok(()) => Ok(()),
        Err(errno) if errno == isol_sys::errno::NOT_HERE => Ok(()),
        Err(_) if isol_sys::ids::effective_uid() != 0 => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn variables() {
    let variables: Vec<_> =
        VARIABLES.iter().map(|&(n, v)| (OsString::from(n), OsString::from(v))).collect();
    if let Some(strings) = CStrings::environment(&variables) {
        environment::replace(Box::leak(Box::new(strings)));
    }
}

fn signals() -> io::Result<()> {
    sys::block(&BLOCKED)?;
    IGNORED.iter().try_for_each(|&signal| sys::ignore(signal))?;
    Ok(())
}

/// To the first of several processors.
fn pin() -> io::Result<()> {
    match sys::affinity() {
        Ok(all) if all.len() > 1 => here(sys::pin_to(all[0])),
        _ => Ok(()),
    }
}

fn limits() -> io::Result<()> {
    let found = sys::limits()?;
    let hard = |name| found.iter().find(|(id, _, _)| *id == name).map(|&(_, _, hard)| hard);
    for name in ["core", "nofile"] {
        if let Some(hard) = hard(name) {
            here(sys::set_limit(name, hard, hard))?;
        }
    }
    Ok(())
}

/// A keyring may be switched off, or full: the attack says so.
fn keyring() {
    if privileges::leave_session_keyring().is_ok() {
        let _ = sys::add(sys::Ring::Session, &attack::raw(KEY), SESSION_KEY.as_bytes());
    }
}

const NO_SETUID_FIXUP: i32 = 1 << 2;
const NO_SETUID_FIXUP_LOCKED: i32 = 1 << 3;
const RAW_SOCKETS: u32 = 13;

/// Capabilities that survive setuid(2) and execve(2).
fn privileges() -> io::Result<()> {
    let Ok(all) = sys::capabilities() else { return Ok(()) };
    here(sys::set_capabilities(all.effective, all.permitted, all.permitted))?;
    here(sys::raise_ambient(RAW_SOCKETS))?;
    let found = sys::securebits().unwrap_or(0);
    here(sys::set_securebits(found | NO_SETUID_FIXUP | NO_SETUID_FIXUP_LOCKED))
}

/// Directories from outside, one of them closed on exec, and a file.
fn descriptors() -> io::Result<()> {
    // One that no lowered limit reaches, where the limit allows for it.
    let _ = sys::open_at(sys::HERE, c"/", 0).and_then(|fd| sys::put_at(fd, 5000, true));
    for (path, least, stays) in
        [(c"/", 50, true), (c".", 52, true), (c"/", 60, false), (c"secret", 62, true)]
    {
        let fd = sys::open_at(sys::HERE, path, 0)?;
        sys::put_at(fd, least, stays)?;
    }
    Ok(())
}
