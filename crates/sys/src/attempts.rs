//! What breaks out of an isolation, or tries to, and the bad states that a caller can be in.
//!
//! For proofs, behind the feature `attempts`: nothing that isolates uses it. Plain calls for a process with one
//! thread; what a system lacks answers `ENOSYS`.

#[cfg(not(any(target_os = "linux", target_os = "android")))]
macro_rules! not_here {
    ($($name:ident($($argument:ty),*) -> $answer:ty;)*) => {
        $(/// Not on this system.
        ///
        /// # Errors
        /// Always `ENOSYS`.
        pub fn $name($(_: $argument),*) -> Result<$answer, Errno> {
            Err($crate::errno::NOT_HERE)
        })*
    };
}

mod child;
mod counting;
mod files;
mod ids;
mod ipc;
mod others;
mod signals;
mod state;
mod terminal;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "attempts/linux.rs"]
        mod system;
    } else if #[cfg(target_os = "freebsd")] {
        #[path = "attempts/freebsd.rs"]
        mod system;
    } else {
        #[path = "attempts/elsewhere.rs"]
        mod system;
    }
}

pub use child::{Ended, fork, has_children, in_a_child, reap};
pub use counting::{Counted, Counting};
pub use files::{
    HERE, Kind, access_mode, chroot, close, duplicate, kind_of, mknod, open_at, put_at,
};
pub use ids::{
    Ids, ids, setegid, seteuid, setgid, setgroups, setregid, setresgid, setresuid, setreuid, setuid,
};
pub use ipc::{
    msg_make, msg_remove, msg_send, posix_shm_make, posix_shm_read, posix_shm_remove, sem_change,
    sem_make, sem_remove, shm_make, shm_read, shm_remove,
};
pub use others::{exists, renice, signal};
pub use signals::{arm_timer, armed, arrivals, block, blocked, count_arrivals, ignore, ignored};
pub use state::{hostname, limits, nice, set_hostname, set_limit, set_nice, umask};
pub use system::*;
pub use terminal::{controls, make_terminal, take_terminal, type_into};

/// The five capability sets, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// In force.
    pub effective: u64,
    /// That can be put in force.
    pub permitted: u64,
    /// Kept over execve(2) of a file that wants them.
    pub inheritable: u64,
    /// Kept over execve(2) of any file.
    pub ambient: u64,
    /// That an execve(2) can grant.
    pub bounding: u64,
}

/// A kind of namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Mounts.
    Mount,
    /// The host's name.
    Uts,
    /// System V IPC and POSIX message queues.
    Ipc,
    /// The network.
    Net,
}

/// A keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// The session's.
    Session,
    /// Everybody's with this uid.
    User,
}
