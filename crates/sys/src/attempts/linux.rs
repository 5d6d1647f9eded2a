//! Linux's.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use isol_core::Errno;

#[path = "linux/calls.rs"]
mod calls;
#[path = "linux/files.rs"]
mod files;
#[path = "linux/ipc.rs"]
mod ipc;
#[path = "linux/keys.rs"]
mod keys;
#[path = "linux/namespaces.rs"]
mod namespaces;
#[path = "linux/others.rs"]
mod others;
#[path = "linux/privileges.rs"]
mod privileges;
#[path = "linux/state.rs"]
mod state;

pub use calls::*;
pub use files::*;
pub use ipc::*;
pub use keys::*;
pub use namespaces::*;
pub use others::*;
pub use privileges::*;
pub use state::*;

/// The raw descriptor of a call's answer, owned.
fn owned(answer: libc::c_long) -> Result<OwnedFd, Errno> {
    let fd = crate::errno::check_long(answer)? as RawFd;
    // SAFETY: just made by the call, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
