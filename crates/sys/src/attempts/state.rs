//! What is inherited, on any Unix.

use isol_core::{Amount, Errno, Limit, Resource};

use crate::errno::{check, from_nix};
use crate::limits::RawLimit;

/// The nice value.
///
/// # Errors
/// As getpriority(2).
pub fn nice() -> Result<i32, Errno> {
    nix::errno::Errno::clear();
    // SAFETY: takes two numbers.
    let value = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    match nix::errno::Errno::last_raw() {
        0 => Ok(value),
        _ if value != -1 => Ok(value),
        errno => Err(Errno(errno)),
    }
}

/// Sets the nice value.
///
/// # Errors
/// As setpriority(2).
pub fn set_nice(value: i32) -> Result<(), Errno> {
    // SAFETY: takes three numbers.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, value) }).map(drop)
}

/// The umask.
///
/// # Errors
/// Never; it is a result like the others.
pub fn umask() -> Result<u32, Errno> {
    let found = crate::signals::set_umask(0);
    crate::signals::set_umask(found);
    Ok(found)
}

/// Each limit that this system knows: its name, soft, hard; `u64::MAX` is no limit.
///
/// # Errors
/// As getrlimit(2).
pub fn limits() -> Result<Vec<(&'static str, u64, u64)>, Errno> {
    let mut found = Vec::new();
    for &resource in Resource::ALL {
        if let Some(raw) = RawLimit::new(&limit(resource, 0, 0)) {
            let (soft, hard) = raw.found()?;
            found.push((resource.id(), soft, hard));
        }
    }
    Ok(found)
}

fn limit(resource: Resource, soft: u64, hard: u64) -> Limit {
    let amount = |n| if n == u64::MAX { Amount::Unlimited } else { Amount::AtMost(n) };
    Limit { resource, soft: amount(soft), hard: amount(hard) }
}

/// Sets a limit by its name; `u64::MAX` is no limit.
///
/// # Errors
/// As setrlimit(2); `EINVAL` if this system knows no such limit.
pub fn set_limit(name: &str, soft: u64, hard: u64) -> Result<(), Errno> {
    let resource = Resource::ALL.iter().copied().find(|r| r.id() == name);
    let raw = resource.and_then(|resource| RawLimit::new(&limit(resource, soft, hard)));
    raw.ok_or(Errno(libc::EINVAL))?.set()
}

/// The host's name.
///
/// # Errors
/// As gethostname(2).
pub fn hostname() -> Result<String, Errno> {
    nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).map_err(from_nix)
}

/// Sets the host's name.
///
/// # Errors
/// As sethostname(2).
pub fn set_hostname(name: &str) -> Result<(), Errno> {
    // SAFETY: the name is readable for its length.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len() as _) }).map(drop)
}
