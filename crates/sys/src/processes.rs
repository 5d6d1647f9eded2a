//! Which processes run under a uid.

use std::io;
use std::sync::OnceLock;

use isol_core::{Os, Uid};

use crate::os::HOST;
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

            pub(super) fn root_identity(_pid: Pid) -> io::Result<(u64, u64)> {
                Err(io::Error::from_raw_os_error(libc::ENOSYS))
            }

            pub(super) fn all_are_seen() -> bool {
                false
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

/// Whether [`under`] sees every process of a system: of this one, whether we are in its first pid namespace, and in no
/// jail. In a container, processes outside can have the same uid, and are not seen.
///
/// # References
/// pid_namespaces(7), jail(8): `security.jail.jailed`
#[must_use]
pub fn all_are_seen(os: Os) -> bool {
    static SEEN: OnceLock<bool> = OnceLock::new();
    os != HOST || *SEEN.get_or_init(system::all_are_seen)
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
    fn a_plan_for_another_system_does_not_depend_on_this_one() {
        let others = [Os::Linux, Os::FreeBsd, Os::MacOs].into_iter().filter(|&os| os != HOST);
        assert!(others.into_iter().all(all_are_seen));
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn this_process_is_found_under_its_own_uid_and_no_other() {
        let own = Uid::new(crate::ids::effective_uid()).unwrap();
        let found = under(own).unwrap();
        assert!(found.iter().any(|p| p.pid == Pid::own()), "{found:?}");
        assert_eq!(under(Uid::new(4_000_000_001).unwrap()).unwrap(), []);
    }
}
