//! The system calls that isol stands on, wrapped once.
//!
//! The one crate of isol with `unsafe` in it. One file per concern; where the
//! operating systems differ, the difference is a file named after the system, and a
//! system that lacks a call has a stand-in that answers `ENOSYS`.
//!
//! Functions that a child calls between fork and exec say so: they make raw system
//! calls, allocate nothing and take no lock.

pub mod acl;
pub mod amend;
#[cfg(feature = "attempts")]
pub mod attempts;
pub mod below;
pub mod brief;
pub mod chroot;
pub mod copy;
pub mod descriptors;
pub mod device;
pub mod environment;
pub mod errno;
pub mod exec;
pub mod filter;
pub mod hostname;
pub mod ids;
pub mod integrity;
pub mod jail;
pub mod landlock;
pub mod limits;
pub mod listing;
pub mod meta;
pub mod mount;
pub mod mounts;
pub mod mqueue;
pub mod namespaces;
pub mod nmount;
pub mod os;
pub mod pipe;
pub mod privileges;
pub mod process;
pub mod processes;
pub mod quote;
pub mod random;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod raw;
pub mod rename;
pub mod rootdir;
pub mod scheduling;
pub mod session;
pub mod signals;
pub mod source;
pub mod spawn;
pub mod state;
pub mod subids;
pub mod supervise;
pub mod sync;
pub mod syslog;
pub mod sysv;
pub mod threads;
#[cfg(feature = "trace")]
pub mod trace;
pub mod unconfined;
pub mod unmount;
pub mod users;
pub mod xattr;
