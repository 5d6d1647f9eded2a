//! What the kernel grants beside the ids: capabilities, securebits, `no_new_privs`,
//! the session keyring, the execution domain, the parent-death signal.
//!
//! Most of it is Linux's; what FreeBSD has of it, it has by procctl(2). Elsewhere the stand-ins answer `ENOSYS`.

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "privileges/linux.rs"]
        mod system;
    } else if #[cfg(target_os = "freebsd")] {
        #[path = "privileges/freebsd.rs"]
        mod system;
    } else {
        #[path = "privileges/none.rs"]
        mod system;
    }
}

use isol_core::Errno;

pub use system::*;

/// Has the kernel kill this process when its parent ends: on Linux the thread that made it.
///
/// # Errors
/// As prctl(2) and procctl(2).
///
/// # References
/// PR_SET_PDEATHSIG(2const), procctl(2): `PROC_PDEATHSIG_CTL`
pub fn die_with_parent() -> Result<(), Errno> {
    set_parent_death_signal(libc::SIGKILL)
}

/// Has no signal sent when the parent ends.
///
/// # Errors
/// As prctl(2) and procctl(2).
pub fn outlive_parent() -> Result<(), Errno> {
    set_parent_death_signal(0)
}

/// Whether a system has something that keeps execve(2) from granting anything; asked of the kernel if the system is
/// this one, else as its supported versions have it.
///
/// # References
/// PR_SET_NO_NEW_PRIVS(2const); procctl(2): `PROC_NO_NEW_PRIVS_CTL`
#[must_use]
pub fn has_no_privilege_gain(os: isol_core::Os) -> bool {
    match os {
        here if here == crate::os::HOST => has_no_new_privileges().is_ok(),
        isol_core::Os::Linux | isol_core::Os::FreeBsd => true,
        _ => false,
    }
}
