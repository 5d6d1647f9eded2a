//! Resource limits.

use isol_core::{Amount, Errno, Limit, Resource};

use crate::errno::check;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
type Number = libc::__rlimit_resource_t;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
type Number = libc::c_int;

/// A limit as the kernel takes it.
#[derive(Clone, Copy)]
pub struct RawLimit {
    number: Number,
    value: libc::rlimit,
}

impl std::fmt::Debug for RawLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawLimit({}={}:{})", self.number, self.value.rlim_cur, self.value.rlim_max)
    }
}

impl RawLimit {
    /// The limit in this kernel's terms; `None` for a resource that it does not limit.
    #[must_use]
    pub fn new(limit: &Limit) -> Option<Self> {
        let raw = |amount| match amount {
            Amount::AtMost(n) => n as libc::rlim_t,
            Amount::Unlimited => libc::RLIM_INFINITY,
        };
        let value = libc::rlimit { rlim_cur: raw(limit.soft), rlim_max: raw(limit.hard) };
        Some(Self { number: number(limit.resource)?, value })
    }

    /// Whether the hard limit in force is below this one: then setting it takes privilege.
    ///
    /// # Errors
    /// As getrlimit(2).
    pub fn raises_the_hard_limit(&self) -> Result<bool, Errno> {
        Ok(self.current()?.rlim_max < self.value.rlim_max)
    }

    /// Sets it. Async-signal-safe.
    ///
    /// # Errors
    /// As setrlimit(2): `EPERM` for a hard limit above the one in force, without privilege.
    ///
    /// # References
    /// setrlimit(2)
    pub fn set(&self) -> Result<(), Errno> {
        // SAFETY: the structure is readable for the call.
        check(unsafe { libc::setrlimit(self.number, &self.value) }).map(drop)
    }

    /// Whether it is in force. Async-signal-safe.
    ///
    /// # Errors
    /// As getrlimit(2).
    ///
    /// # References
    /// getrlimit(2)
    pub fn is_in_force(&self) -> Result<bool, Errno> {
        let found = self.current()?;
        Ok(found.rlim_cur == self.value.rlim_cur && found.rlim_max == self.value.rlim_max)
    }

    /// What is in force, (soft, hard); `u64::MAX` is no limit.
    #[cfg(feature = "attempts")]
    #[allow(clippy::unnecessary_cast, reason = "rlim_t is signed on FreeBSD")]
    pub(crate) fn found(&self) -> Result<(u64, u64), Errno> {
        let number = |n: libc::rlim_t| if n == libc::RLIM_INFINITY { u64::MAX } else { n as u64 };
        self.current().map(|found| (number(found.rlim_cur), number(found.rlim_max)))
    }

    fn current(&self) -> Result<libc::rlimit, Errno> {
        let mut found = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the structure is writable for the call.
        check(unsafe { libc::getrlimit(self.number, &mut found) })?;
        Ok(found)
    }
}

fn number(resource: Resource) -> Option<Number> {
    let everywhere = match resource {
        Resource::AddressSpace => libc::RLIMIT_AS,
        Resource::Core => libc::RLIMIT_CORE,
        Resource::Cpu => libc::RLIMIT_CPU,
        Resource::Data => libc::RLIMIT_DATA,
        Resource::FileSize => libc::RLIMIT_FSIZE,
        Resource::MemoryLocked => libc::RLIMIT_MEMLOCK,
        Resource::OpenFiles => libc::RLIMIT_NOFILE,
        Resource::Processes => libc::RLIMIT_NPROC,
        Resource::Resident => libc::RLIMIT_RSS,
        Resource::Stack => libc::RLIMIT_STACK,
        other => return system(other),
    };
    Some(everywhere)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn system(resource: Resource) -> Option<Number> {
    match resource {
        Resource::Locks => Some(libc::RLIMIT_LOCKS),
        Resource::MessageQueues => Some(libc::RLIMIT_MSGQUEUE),
        Resource::Nice => Some(libc::RLIMIT_NICE),
        Resource::RealtimePriority => Some(libc::RLIMIT_RTPRIO),
        Resource::RealtimeTime => Some(libc::RLIMIT_RTTIME),
        Resource::SignalsPending => Some(libc::RLIMIT_SIGPENDING),
        _ => None,
    }
}

#[cfg(target_os = "freebsd")]
fn system(resource: Resource) -> Option<Number> {
    match resource {
        Resource::SocketBuffers => Some(libc::RLIMIT_SBSIZE),
        Resource::Swap => Some(libc::RLIMIT_SWAP),
        Resource::PseudoTerminals => Some(libc::RLIMIT_NPTS),
        Resource::Kqueues => Some(libc::RLIMIT_KQUEUES),
        _ => None,
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn system(_resource: Resource) -> Option<Number> {
    None
}

/// How many descriptors this process may have open, by its soft limit.
///
/// # Errors
/// As getrlimit(2).
///
/// # References
/// getrlimit(2)
pub fn open_files() -> nix::Result<u64> {
    use nix::sys::resource::{Resource, getrlimit};
    // The type differs from system to system.
    #[allow(clippy::useless_conversion)]
    getrlimit(Resource::RLIMIT_NOFILE).map(|(soft, _)| u64::try_from(soft).unwrap_or(u64::MAX))
}
/// How many bytes of memory this host has.
///
/// # Errors
/// As sysconf(3).
///
/// # References
/// sysconf(3): `_SC_PHYS_PAGES`
///
/// ```
/// assert!(isol_sys::limits::memory()? > 1 << 20);
/// # Ok::<(), isol_core::Errno>(())
/// ```
pub fn memory() -> Result<u64, Errno> {
    let get = |name| {
        // SAFETY: takes a number.
        u64::try_from(unsafe { libc::sysconf(name) }).map_err(|_| Errno(libc::EINVAL))
    };
    Ok(get(libc::_SC_PHYS_PAGES)? * get(libc::_SC_PAGESIZE)?)
}
