//! System V objects: shared memory, semaphores and message queues, which outlive whoever made them.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "sysv/linux.rs"]
        mod os;
    } else if #[cfg(target_os = "freebsd")] {
        #[path = "sysv/freebsd.rs"]
        mod os;
    } else {
        mod os {
            use super::{Object, Uid, io};

            pub(super) fn of_user(_uid: Uid) -> io::Result<Vec<Object>> {
                Err(io::Error::from_raw_os_error(libc::ENOSYS))
            }
        }
    }
}
#[cfg(any(target_os = "freebsd", test))]
mod table;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "freebsd"))] {
        mod remove;
        use remove::remove as system_remove;
    } else {
        fn system_remove(_object: Object) -> io::Result<()> {
            Err(io::Error::from_raw_os_error(libc::ENOSYS))
        }
    }
}

use std::fmt;
use std::io;

use isol_core::Uid;

/// Of which kind an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Shared memory.
    Memory,
    /// A set of semaphores.
    Semaphores,
    /// A message queue.
    Messages,
}

impl Kind {
    /// Its letter among the options of ipcrm(1).
    #[must_use]
    pub fn option(self) -> char {
        match self {
            Self::Memory => 'm',
            Self::Semaphores => 's',
            Self::Messages => 'q',
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "shared memory",
            Self::Semaphores => "semaphore set",
            Self::Messages => "message queue",
        })
    }
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its number, which is one of its kind's.
    pub id: i32,
}

/// The objects in this IPC namespace, or jail, that belong to a user or were made by one: both may change them.
///
/// # Errors
/// `NotFound` if the kernel has no such objects; whatever else keeps them from being listed, ENOSYS among it on macOS.
///
/// # References
/// sysvipc(7), proc_sysvipc(5); `kern.ipc` in sysctl(3) on FreeBSD
///
/// ```
/// let nobody = isol_core::Uid::new(4_000_000_001).unwrap();
/// # #[cfg(target_os = "linux")]
/// assert_eq!(isol_sys::sysv::of_user(nobody)?, []);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn of_user(uid: Uid) -> io::Result<Vec<Object>> {
    os::of_user(uid)
}

/// Removes an object; nothing is said of one that is gone.
///
/// # Errors
/// `EPERM` for a stranger's; ENOSYS on macOS.
///
/// # References
/// shmctl(2), semctl(2), msgctl(2): `IPC_RMID`
pub fn remove(object: Object) -> io::Result<()> {
    system_remove(object)
}
