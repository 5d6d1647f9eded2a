//! The portable steps of isol, one file each, and the assembler that puts them in order.
//!
//! A backend adds what is its own ([`isol_core::Layers`]); everything that every
//! plan has to have stands here, so that no backend can misorder or forget it.

#[macro_use]
mod tells;

mod allot_uid;
mod assemble;
mod bounding_set;
mod capabilities;
mod change_directory;
mod dedicated_uid;
mod descriptors;
mod environment;
mod execution_domain;
mod gid;
mod groups;
mod keyring;
mod landlock;
mod launch;
mod left_behind;
mod limits;
mod mount_sources;
mod no_new_privileges;
mod no_tracing;
mod parent_death_signal;
mod read_back;
mod root_directory;
mod scheduling;
mod seccomp;
mod securebits;
mod session;
mod shut_in;
mod signals;
mod standard_descriptors;
mod starting_uid;
mod sweep;
mod syslog;
mod timers;
mod uid;
mod umask;
mod working_directory;

pub use allot_uid::HeldUid;
pub use assemble::{Preparations, assemble};
pub use launch::{Child, Image, LaunchError, become_program, lock_in, spawn};
pub use root_directory::refusal as root_refusal;
pub use shut_in::{filter_confines, shut_in};
pub use sweep::{StaleUid, sweep_uid};
pub use syslog::{LOCK as SYSLOG_LOCK, sweep_syslog};
