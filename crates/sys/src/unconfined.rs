//! What no namespace confines: sockets to the virtual machine's host, and keyrings, which are a uid's wherever it runs.
//!
//! A filter on system calls takes them away; and io_uring with them, which makes sockets that no filter sees.

use isol_core::Errno;

cfg_if::cfg_if! {
    if #[cfg(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
    ))] {
        #[path = "unconfined/linux.rs"]
        mod system;
    } else {
        #[path = "unconfined/none.rs"]
        mod system;
    }
}

/// Whether a filter for this system and processor is built in.
pub const CAN_BE_DENIED: bool = system::CAN_BE_DENIED;

/// The filter, laid ready.
#[derive(Debug)]
pub struct Filter(system::Filter);

impl Filter {
    /// Lays it ready. Allocates.
    ///
    /// # Errors
    /// `ENOSYS` where none is built in.
    pub fn new() -> Result<Self, Errno> {
        system::Filter::new().map(Self)
    }

    /// Puts it in force for this process and all that come of it, for good. `no_new_privs` must be set.
    /// Async-signal-safe.
    ///
    /// # Errors
    /// As seccomp(2).
    ///
    /// # References
    /// seccomp(2)
    pub fn install(&self) -> Result<(), Errno> {
        self.0.install()
    }
}

/// Whether a filter denies what [`Filter`] is there to deny, by trying each. Async-signal-safe.
#[must_use]
pub fn is_denied() -> bool {
    system::is_denied()
}
