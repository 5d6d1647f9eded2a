//! User and group ids: set, and read back.
//!
//! On Linux the ids are a thread's own; the C library's wrappers change them in
//! every thread by signalling each. That is right for a process that locks itself
//! in, and wrong in a child that shares its parent's memory, where they would reach
//! into the parent: [`ThreadScope`] says which it is.

use std::mem::MaybeUninit;

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
}

/// Groups that are read back on a small frame.
const FEW: usize = 64;
/// As many groups as any kernel gives to a process, the gid among them; Linux's `NGROUPS_MAX` and one more.
const MOST: usize = 65_537;

impl GroupList {
    /// Lays the array for `groups` (sorted, without `gid`) ready. Allocates.
    #[must_use]
    pub fn new(gid: Gid, groups: &[Gid]) -> Self {
        let mut given = Vec::with_capacity(groups.len() + 1);
        if system::GID_STANDS_FIRST {
            given.push(gid);
        }
        given.extend_from_slice(groups);
        let with_gid = system::GID_STANDS_FIRST;
        Self { given, wanted: groups.to_vec(), gid, with_gid }
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
        if self.wanted.len() + 2 <= FEW { self.are::<FEW>() } else { self.are::<MOST>() }
    }

    /// Reads them onto this frame. Not into memory of this structure: children that share it, and each other's memory,
    /// would read what another one has.
    #[inline(never)]
    fn are<const ROOM: usize>(&self) -> Result<bool, Errno> {
        let mut found = [const { MaybeUninit::<libc::gid_t>::uninit() }; ROOM];
        // SAFETY: the buffer is of `ROOM` gids, and this frame's alone.
        let got = unsafe { libc::getgroups(ROOM as libc::c_int, found.as_mut_ptr().cast()) };
        let count = match check(got) {
            Ok(count) => count as usize,
            Err(Errno(libc::EINVAL)) => return Ok(false),
            Err(errno) => return Err(errno),
        };
        let written = found[..count].as_ptr().cast::<u32>();
        // SAFETY: the kernel has written these `count` of them, which are 32-bit numbers.
        Ok(self.matches(unsafe { std::slice::from_raw_parts(written, count) }))
    }

    fn matches(&self, found: &[u32]) -> bool {
        // FreeBSD 15 sorts them: there the gid, which was given first, may be anywhere.
        let is_gid = |found: &&u32| self.with_gid && **found == self.gid.get();
        let others = || found.iter().filter(|found| !is_gid(found));
        if found.iter().filter(is_gid).count() > 1 || others().count() != self.wanted.len() {
            return false;
        }
        // The kernels keep them sorted; one that doesn't has few.
        let sorted = others().zip(&self.wanted).all(|(f, w)| *f == w.get());
        let each = || self.wanted.iter().all(|w| others().any(|f| *f == w.get()));
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

    #[test]
    fn the_gid_may_be_anywhere_among_them_where_the_kernel_counts_it() {
        for (with_gid, found) in [(true, [2, 5, 9]), (true, [5, 2, 9]), (false, [2, 5, 9])] {
            let wanted = GroupList { with_gid, ..list(&[2, 9]) };
            assert_eq!(wanted.matches(&found), with_gid, "{found:?}");
        }
        let wanted = GroupList { with_gid: true, ..list(&[2, 9]) };
        assert!(wanted.matches(&[2, 9]));
        assert!(!wanted.matches(&[5, 5, 2, 9]));
        assert!(!wanted.matches(&[5, 2]));
    }

    #[test]
    fn one_group_more_or_less_or_another_is_seen() {
        let wanted = list(&[7, 9]);
        assert!(wanted.matches(&[7, 9]));
        assert!(wanted.matches(&[9, 7]));
        assert!(!wanted.matches(&[7]));
        assert!(!wanted.matches(&[7, 8]));
        assert!(!wanted.matches(&[7, 9, 10]));
        assert!(list(&[]).matches(&[]));
        assert!(!list(&[]).matches(&[0]));
    }
    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    #[allow(clippy::print_stdout)] // a skip is told
    fn children_that_share_a_list_are_told_of_their_own_groups_alone() {
        use crate::process::{Status, wait};
        use crate::spawn::{Table, child};
        use std::sync::atomic::{AtomicBool, Ordering};

        if effective_uid() != 0 {
            // Only root sets groups.
            return;
        }
        let (asked, other, done) = (list(&[7, 9]), list(&[7, 8]), AtomicBool::new(false));
        let (asked, done) = (&asked, &done);
        // Whether a child with these groups finds those that are asked for.
        let finds = |groups: &GroupList| {
            let told = child(Table::Copied, &mut || match groups.set(ThreadScope::Alone) {
                Ok(()) => asked.is_in_force().map_or(2, i32::from),
                Err(_) => 3,
            });
            wait(told.unwrap()).unwrap()
        };
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(finds(asked), Status::Exited(1));
                }
            });
            let wrong = (0..5000).filter(|_| finds(&other) != Status::Exited(0)).count();
            done.store(true, Ordering::Relaxed);
            assert_eq!(wrong, 0, "children that were told of another's groups");
        });
    }
    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    #[allow(clippy::print_stdout)] // a skip is told
    fn as_many_as_a_process_can_have_are_read_back_on_a_child_s_stack() {
        if effective_uid() != 0 {
            // Only root sets groups.
            return;
        }
        let most = if cfg!(target_os = "linux") { 65_536 } else { 15 };
        let all: Vec<u32> = (1000..1000 + most).collect();
        let (asked, fewer) = (list(&all), list(&all[1..]));
        let told = crate::spawn::child(crate::spawn::Table::Copied, &mut || {
            asked.set(ThreadScope::Alone).map_or(2, |()| {
                i32::from((asked.is_in_force(), fewer.is_in_force()) == (Ok(true), Ok(false)))
            })
        });
        let status = crate::process::wait(told.unwrap()).unwrap();
        assert_eq!(status, crate::process::Status::Exited(1));
    }
}
