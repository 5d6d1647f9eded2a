//! User and group ids: set, and read back.
//!
//! On Linux the ids are a thread's own; the C library's wrappers change them in
//! every thread by signalling each. That is right for a process that locks itself
//! in, and wrong in a child that shares its parent's memory, where they would reach
//! into the parent: [`ThreadScope`] says which it is.

use std::sync::atomic::AtomicU32;

use isol_core::{Errno, Gid, ThreadScope, Uid};

use crate::errno::check;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "ids/linux.rs"]
        mod system;
    } else if #[cfg(target_os = "macos")] {
        #[path = "ids/macos.rs"]
        mod system;
    } else {
        #[path = "ids/bsd.rs"]
        mod system;
    }
}

/// The array that setgroups(2) of this system wants, laid ready.
///
/// FreeBSD before 15 takes the first element as the effective gid, and macOS turns
/// an empty list into `{0}`: there the gid stands first.
#[derive(Debug)]
pub struct GroupList {
    given: Vec<Gid>,
    wanted: Vec<Gid>,
    gid: Gid,
    /// Whether the kernel may count the gid among the groups.
    with_gid: bool,
    scratch: Box<[AtomicU32]>,
}

impl GroupList {
    /// Lays the array for `groups` (sorted, without `gid`) ready. Allocates.
    #[must_use]
    pub fn new(gid: Gid, groups: &[Gid]) -> Self {
        let mut given = Vec::with_capacity(groups.len() + 1);
        if system::GID_STANDS_FIRST {
            given.push(gid);
        }
        given.extend_from_slice(groups);
        let scratch = (0..groups.len() + 2).map(|_| AtomicU32::new(0)).collect();
        let with_gid = system::GID_STANDS_FIRST;
        Self { given, wanted: groups.to_vec(), gid, with_gid, scratch }
    }

    /// Makes these the supplementary groups. Async-signal-safe.
    ///
    /// # Errors
    /// As setgroups(2).
    ///
    /// # References
    /// setgroups(2)
    pub fn set(&self, scope: ThreadScope) -> Result<(), Errno> {
        system::set_groups(&self.given, scope)
    }

    /// Whether the kernel has these groups and no others. Where the kernel counts
    /// the gid among them, it may be there too. Async-signal-safe.
    ///
    /// # Errors
    /// As getgroups(2), but for `EINVAL`, which means that there are more: false.
    ///
    /// # References
    /// getgroups(2)
    pub fn is_in_force(&self) -> Result<bool, Errno> {
        let room = self.scratch.len() as libc::c_int;
        let buffer = self.scratch.as_ptr().cast::<libc::gid_t>().cast_mut();
        // SAFETY: the buffer is of `room` 32-bit cells that may be written through a
        // shared reference (they are atomics), and nobody else uses them now.
        let count = match check(unsafe { libc::getgroups(room, buffer) }) {
            Ok(count) => count as usize,
            Err(Errno(libc::EINVAL)) => return Ok(false),
            Err(errno) => return Err(errno),
        };
        Ok(self.matches(&self.scratch[..count]))
    }

    fn matches(&self, found: &[AtomicU32]) -> bool {
        let get = |cell: &AtomicU32| cell.load(std::sync::atomic::Ordering::Relaxed);
        // FreeBSD 15 sorts them: there the gid, which was given first, may be anywhere.
        let is_gid = |cell: &&AtomicU32| self.with_gid && get(cell) == self.gid.get();
        let others = || found.iter().filter(|cell| !is_gid(cell));
        if found.iter().filter(is_gid).count() > 1 || others().count() != self.wanted.len() {
            return false;
        }
        // The kernels keep them sorted; one that doesn't has few.
        let sorted = others().zip(&self.wanted).all(|(f, w)| get(f) == w.get());
        let each = || self.wanted.iter().all(|w| others().any(|f| get(f) == w.get()));
        sorted || (found.len() <= 1024 && each())
    }
}

/// Makes it the real, effective and saved gid. Async-signal-safe for [`ThreadScope::Alone`].
///
/// # Errors
/// As setresgid(2).
///
/// # References
/// setresgid(2); setgid(2) on macOS
pub fn set_gid(gid: Gid, scope: ThreadScope) -> Result<(), Errno> {
    system::set_gid(gid.get(), scope)
}

/// Makes it the real, effective and saved uid. Async-signal-safe for [`ThreadScope::Alone`].
///
/// # Errors
/// As setresuid(2).
///
/// # References
/// setresuid(2); setuid(2) on macOS
pub fn set_uid(uid: Uid, scope: ThreadScope) -> Result<(), Errno> {
    system::set_uid(uid.get(), scope)
}

/// Whether the real, effective and saved uid are all this. Async-signal-safe.
#[must_use]
pub fn uid_is(uid: Uid) -> bool {
    system::uids().iter().all(|&u| u == uid.get())
}

/// Whether the real, effective and saved gid are all this. Async-signal-safe.
#[must_use]
pub fn gid_is(gid: Gid) -> bool {
    system::gids().iter().all(|&g| g == gid.get())
}

/// Tries each call that could get uid 0 back; true if one of them does. For a
/// process that is to have lost it for good. Async-signal-safe for [`ThreadScope::Alone`].
#[must_use]
pub fn can_become_root() -> bool {
    system::try_root_uid() || system::uids().contains(&0)
}

/// Tries each call that could get gid 0 back; true if one of them does.
#[must_use]
pub fn can_become_root_group() -> bool {
    system::try_root_gid() || system::gids().contains(&0)
}

/// The supplementary groups in force, as the kernel lists them: on some systems with
/// the effective gid among them. Allocates.
///
/// # Errors
/// As getgroups(2).
///
/// # References
/// getgroups(2)
pub fn groups() -> std::io::Result<Vec<u32>> {
    // SAFETY: with no room given, nothing is written.
    let room = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    let mut groups = vec![0; usize::try_from(room).unwrap_or_default()];
    // SAFETY: the buffer is of `room` gids; where there is none, the call is the same as above.
    match unsafe { libc::getgroups(groups.len() as libc::c_int, groups.as_mut_ptr()) } {
        -1 => Err(std::io::Error::last_os_error()),
        got => {
            groups.truncate(got as usize);
            Ok(groups)
        }
    }
}

/// The effective uid.
#[must_use]
pub fn effective_uid() -> u32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::geteuid() }
}

/// The effective gid.
#[must_use]
pub fn effective_gid() -> u32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::getegid() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(groups: &[u32]) -> GroupList {
        let gid = |n| Gid::new(n).unwrap();
        GroupList::new(gid(5), &groups.iter().map(|&g| gid(g)).collect::<Vec<_>>())
    }

    fn cells(numbers: &[u32]) -> Vec<AtomicU32> {
        numbers.iter().map(|&n| AtomicU32::new(n)).collect()
    }

    #[test]
    fn the_gid_may_be_anywhere_among_them_where_the_kernel_counts_it() {
        for (with_gid, found) in [(true, [2, 5, 9]), (true, [5, 2, 9]), (false, [2, 5, 9])] {
            let wanted = GroupList { with_gid, ..list(&[2, 9]) };
            assert_eq!(wanted.matches(&cells(&found)), with_gid, "{found:?}");
        }
        let wanted = GroupList { with_gid: true, ..list(&[2, 9]) };
        assert!(wanted.matches(&cells(&[2, 9])));
        assert!(!wanted.matches(&cells(&[5, 5, 2, 9])));
        assert!(!wanted.matches(&cells(&[5, 2])));
    }

    #[test]
    fn one_group_more_or_less_or_another_is_seen() {
        let wanted = list(&[7, 9]);
        assert!(wanted.matches(&cells(&[7, 9])));
        assert!(wanted.matches(&cells(&[9, 7])));
        assert!(!wanted.matches(&cells(&[7])));
        assert!(!wanted.matches(&cells(&[7, 8])));
        assert!(!wanted.matches(&cells(&[7, 9, 10])));
        assert!(list(&[]).matches(&[]));
        assert!(!list(&[]).matches(&cells(&[0])));
    }
}
