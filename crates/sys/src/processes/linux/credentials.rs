//! Whose a process is.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use isol_core::{Errno, Uid};

use super::listing::{self, Proc};
use crate::errno::{check, check_long, last};

/// What a process answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// It has gone.
    Gone,
    /// It is the kernel's own.
    KernelThread,
    /// Its real, effective, saved and file-system uid.
    Uids([u32; 4]),
}

/// The ways to ask. The quick one is Linux 6.13's, a third of the price of /proc/PID/status.
pub(super) struct Credentials<'a> {
    proc: &'a Proc,
    quick: bool,
    /// Whether process 2 is the one that makes all kernel threads.
    knows_kernel_threads: bool,
}

/// The first form of the kernel's `struct pidfd_info`, which all later ones begin with.
#[repr(C)]
#[derive(Default)]
struct Info {
    mask: u64,
    cgroup: u64,
    pid: u32,
    tgid: u32,
    ppid: u32,
    ruid: u32,
    rgid: u32,
    euid: u32,
    egid: u32,
    suid: u32,
    sgid: u32,
    fsuid: u32,
    fsgid: u32,
    exit_code: i32,
}

const CREDENTIALS: u64 = 1 << 1;
/// `_IOWR(0xFF, 11, struct pidfd_info)`, by the rule of all architectures but four.
const GET_INFO: u64 = 3 << 30 | (size_of::<Info>() as u64) << 16 | 0xFF << 8 | 11;
const _: () = assert!(size_of::<Info>() == 64);

/// Those four have another encoding of ioctl numbers.
const KNOWN: bool = !cfg!(any(
    target_arch = "mips",
    target_arch = "mips64",
    target_arch = "powerpc64",
    target_arch = "sparc64"
));

impl<'a> Credentials<'a> {
    pub(super) fn new(proc: &'a Proc) -> Self {
        Self { proc, quick: KNOWN, knows_kernel_threads: proc.is_first_namespace }
    }

    pub(super) fn ask(&mut self, pid: i32) -> io::Result<Asked> {
        // Half of all processes on a small machine, for a fifth of the price.
        if self.knows_kernel_threads && is_kernel_thread(pid) {
            return Ok(Asked::KernelThread);
        }
        if self.quick {
            match of(pid) {
                Ok(Some(asked)) => return Ok(asked),
                // This kernel, or a filter of system calls, does not answer: so nobody is asked.
                Ok(None) => self.quick = false,
                Err(errno) => return Err(errno.into()),
            }
        }
        let Some(status) = self.proc.status(pid)? else { return Ok(Asked::Gone) };
        let mut uids = listing::uids(&status);
        let mut next = || uids.next().ok_or(io::ErrorKind::InvalidData);
        Ok(Asked::Uids([next()?, next()?, next()?, next()?]))
    }
}

/// Whether a process is one of the kernel's, which share one table of descriptors; no program is in that table,
/// because execve(2) gives each a table of its own. False if this kernel, or a filter of system calls, does not answer.
///
/// # References
/// kcmp(2)
fn is_kernel_thread(pid: i32) -> bool {
    const KTHREADD: i32 = 2;
    const FILES: i32 = 2;
    // SAFETY: takes numbers.
    unsafe { libc::syscall(libc::SYS_kcmp, KTHREADD, pid, FILES, 0, 0) == 0 }
}

/// Asks the kernel by a descriptor of the process; `None` if this kernel can't be asked so.
fn of(pid: i32) -> Result<Option<Asked>, Errno> {
    // SAFETY: takes two numbers.
    let opened = check_long(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) });
    let process = match opened {
        // SAFETY: the descriptor has just been opened and is nobody else's.
        Ok(fd) => unsafe { OwnedFd::from_raw_fd(fd as i32) },
        Err(Errno(libc::ESRCH)) => return Ok(Some(Asked::Gone)),
        Err(Errno(libc::ENOSYS | libc::EPERM | libc::EACCES | libc::EINVAL)) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    let mut info = Info { mask: CREDENTIALS, ..Info::default() };
    // SAFETY: the structure is writable, and of the size that the number tells.
    match check(unsafe { libc::ioctl(process.as_raw_fd(), GET_INFO as _, &raw mut info) }) {
        Ok(_) if info.mask & CREDENTIALS != 0 && info.pid == pid as u32 => {
            Ok(Some(Asked::Uids([info.ruid, info.euid, info.suid, info.fsuid])))
        }
        Err(Errno(libc::ESRCH)) => Ok(Some(Asked::Gone)),
        _ => Ok(None),
    }
}

/// Whether any thread has this real uid. One that has ended and was not waited for counts too.
///
/// # References
/// getpriority(2): `ESRCH` is for none
pub(super) fn is_a_real_uid(uid: Uid) -> bool {
    // SAFETY: takes two numbers.
    let found = unsafe { libc::getpriority(libc::PRIO_USER, uid.get()) };
    // -1 is a nice value too. Whoever can't say has not said that there is none.
    found != -1 || last() != Errno(libc::ESRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(quick: bool) -> Vec<(i32, [u32; 4])> {
        let proc = Proc::open().unwrap();
        let mut ways = Credentials {
            knows_kernel_threads: quick && proc.is_first_namespace,
            quick,
            proc: &proc,
        };
        let mut found = Vec::new();
        proc.each(|pid| {
            match ways.ask(pid)? {
                Asked::Uids(uids) => found.push((pid, uids)),
                Asked::KernelThread => found.push((pid, [0; 4])),
                Asked::Gone => {}
            }
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn both_ways_give_the_same_answer() {
        let (quick, slow) = (all(true), all(false));
        let both: Vec<_> =
            quick.iter().filter(|(pid, _)| slow.iter().any(|s| s.0 == *pid)).collect();
        assert!(both.iter().any(|(pid, _)| *pid == Pid::own().get()));
        for found in both {
            // A process that is changing its uids just now would be bad luck.
            assert!(slow.contains(found), "{found:?} in {slow:?}");
        }
    }

    #[test]
    fn kernel_threads_are_told_from_programs() {
        let proc = Proc::open().unwrap();
        if !proc.is_first_namespace || crate::ids::effective_uid() != 0 {
            return;
        }
        let (mut programs, mut threads) = (0, 0);
        proc.each(|pid| {
            let Some(status) = proc.status(pid)? else { return Ok(()) };
            // Only a process with a memory has these lines.
            match (is_kernel_thread(pid), status.contains("VmSize:")) {
                (true, has_memory) => {
                    threads += 1;
                    assert!(!has_memory, "{status}");
                }
                (false, true) => programs += 1,
                (false, false) => {}
            }
            Ok(())
        })
        .unwrap();
        assert!(threads > 2 && programs > 0, "{threads} {programs}");
        assert!(!is_kernel_thread(Pid::own().get()) && !is_kernel_thread(1));
    }

    #[test]
    fn the_kernel_knows_real_uids() {
        assert!(is_a_real_uid(Uid::new(crate::ids::effective_uid()).unwrap()));
        assert!(!is_a_real_uid(Uid::new(4_000_000_001).unwrap()));
    }

    use crate::process::Pid;
}
