//! Isolate a Unix daemon: one policy, and chroot(2), jail(2) or Linux namespaces to
//! carry it out.
//!
//! A policy becomes an ordered plan of system calls for this host. The plan is
//! carried out so that nothing ever runs half isolated, and the kernel's state is
//! read back before the program starts.
//!
//! ```no_run
//! use isol::{Isolation, Policy, User};
//!
//! let policy = Policy::confine("/srv/dns").user(User::Name("dns".into())).build()?;
//! let socket = std::net::UdpSocket::bind("[::]:53")?;
//! # use std::os::fd::AsRawFd;
//! # let policy = Policy::confine("/srv/dns").user(User::Name("dns".into()))
//! #     .pass_fds([socket.as_raw_fd()]).build()?;
//! let confined = Isolation::new(policy).enter()?;
//! assert!(confined.holds(isol::Guarantee::RootConfined));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does not do
//!
//! - It does not make a kernel safer: whoever breaks the kernel is outside.
//! - The chroot(2) backend confines the file system and the process's own privileges.
//!   Processes, IPC and the network stay the host's: require a strong guarantee, and
//!   a backend that can't hold it is refused.
//! - No backend stops a process outside from handing a directory descriptor in over a
//!   Unix socket. Share no socket with a peer that you don't trust.
#![forbid(unsafe_code)]

mod backends;
mod confined;
mod error;
mod identity;
mod isolation;
#[cfg(feature = "root")]
mod looking;
#[cfg(not(feature = "root"))]
#[path = "not_looking.rs"]
mod looking;
mod planned;
mod preload;
mod ready;
mod spawner;
mod sweep;

pub use backends::{Choice, all as backends, by_name as backend_by_name};
pub use confined::Confined;
pub use error::Error;
pub use identity::look_up;
pub use isol_core::*;
pub use isol_steps::{Child, LaunchError, root_refusal};
pub use isol_sys::filter::{Refusals, Told};
pub use isol_sys::process::{Pid, Status};
pub use isolation::Isolation;
pub use planned::{Enter, Exec, Planned, Purpose, Spawn};
pub use preload::{Account, Level, Preload, Preloaded, Resolver};
pub use ready::{Ready, Running};
pub use spawner::Spawner;
pub use sweep::{PROOF_DIRECTORY, PROOF_LOCK, sweep};

/// What a supervising parent needs of the system: signals as data.
pub mod supervise {
    pub use isol_sys::exec::end;
    pub use isol_sys::supervise::{
        Arrival, FORWARDED, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, Signals, end_by, stop_self,
    };
}

/// What this process is, as far as it decides how to run a program.
pub mod host {
    pub use crate::identity::resolve as identity;
    pub use isol_sys::descriptors::open_standard;
    pub use isol_sys::os::HOST;
    pub use isol_sys::process::{Disposition, disposition, signal_group};
    pub use isol_sys::session::{has_terminal, leads_a_group};
}
