//! Which processes run under a uid.

use std::io;

use isol_core::Uid;

use crate::process::Pid;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "processes/linux.rs"]
        mod system;
    } else if #[cfg(target_os = "freebsd")] {
        #[path = "processes/freebsd.rs"]
        mod system;
    } else if #[cfg(target_os = "macos")] {
        #[path = "processes/macos.rs"]
        mod system;
    } else {
        mod system {
            use super::{Pid, Process, Uid, io};

            pub(super) fn under(_uid: Uid) -> io::Result<Vec<Process>> {
                Err(io::Error::from_raw_os_error(libc::ENOSYS))
            }

            pub(super) fn is_no_real_uid(_uid: Uid) -> bool {
                false
            }

            pub(super) fn root_identity(_pid: Pid) -> io::Result<(u64, u64)> {
                Err(io::Error::from_raw_os_error(libc::ENOSYS))
            }
        }
    }
}

/// A process, as the user is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its pid.
    pub pid: Pid,
    /// The name of its program.
    pub name: String,
}

/// The processes whose real, effective or saved uid this is, those left out that have
/// ended and only wait to be waited for.
///
/// # Errors
/// The kernel's list could not be read, or not all of it could: then nobody can say.
///
/// # References
/// proc_pid_status(5); sysctl(3) `kern.proc` on FreeBSD and macOS
pub fn under(uid: Uid) -> io::Result<Vec<Process>> {
    system::under(uid)
}

/// Whether nobody is left of those who had nothing but this uid, and could get no other: one question to the kernel,
/// where it has one, instead of one for each process that there is. A stranger who has it as an effective or saved uid
/// alone is not looked for; [`under`] does that.
///
/// # Errors
/// As [`under`].
///
/// # References
/// getpriority(2)
pub fn have_ended(uid: Uid) -> io::Result<bool> {
    Ok(system::is_no_real_uid(uid) || under(uid)?.is_empty())
}

/// The pids of all that can be seen.
#[cfg(all(target_os = "freebsd", feature = "attempts"))]
pub(crate) fn pids() -> io::Result<Vec<i32>> {
    system::pids()
}

/// The device and inode of a process's root directory.
///
/// # Errors
/// The process is gone, or the system doesn't tell.
///
/// # References
/// proc_pid_root(5)
pub fn root_identity(pid: Pid) -> io::Result<(u64, u64)> {
    system::root_identity(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_under_its_own_uid_and_no_other() {
        let own = Uid::new(crate::ids::effective_uid()).unwrap();
        let found = under(own).unwrap();
        assert!(found.iter().any(|p| p.pid == Pid::own()), "{found:?}");
        assert_eq!(under(Uid::new(4_000_000_001).unwrap()).unwrap(), []);
        assert!(!have_ended(own).unwrap() && have_ended(Uid::new(4_000_000_001).unwrap()).unwrap());
    }
}
