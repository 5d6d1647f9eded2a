//! A file that nobody else sees, with the init's program in it.

use std::os::fd::RawFd;

use isol_core::Errno;

use super::program::File;
use crate::errno::{check, check_long};
use crate::mounts::Fd;
use crate::process::{self, Pid};

/// The file, as something to execute.
#[derive(Debug)]
pub(in crate::namespaces) struct Image(Fd);

/// The first kernels to know them are 6.3 and 6.14.
const MFD_EXEC: libc::c_uint = 0x10;
const AT_EXECVE_CHECK: libc::c_int = 0x1_0000;

impl Image {
    /// Makes it; `None` where that can't be done, or where it could not be executed. Async-signal-safe.
    ///
    /// Everybody can execute it and nobody read it, so that whoever executes it is undumpable from the beginning, and
    /// traced by nobody who is not privileged over the one who made it.
    ///
    /// # References
    /// memfd_create(2), execveat(2), PR_SET_DUMPABLE(2const)
    pub(in crate::namespaces) fn new() -> Option<Self> {
        let program = File::new()?;
        if largest_file() < program.bytes().len() as u64 {
            // Writing it would be answered by a signal.
            return None;
        }
        let file = memory_file(MFD_EXEC).or_else(|_| memory_file(0)).ok()?;
        crate::pipe::write_record(file.get(), program.bytes()).ok()?;
        // SAFETY: takes two numbers.
        check(unsafe { libc::fchmod(file.get(), 0o111) }).ok()?;
        let image = Self(file);
        image.can_be_executed().then_some(image)
    }

    pub(in crate::namespaces) fn get(&self) -> RawFd {
        self.0.get()
    }

    /// Any descriptor in its place.
    #[cfg(test)]
    pub(super) fn of(fd: std::os::fd::OwnedFd) -> Self {
        use std::os::fd::IntoRawFd;
        Self(Fd(fd.into_raw_fd()))
    }

    /// Executes it. Returns only if that failed.
    pub(super) fn execute(&self) -> Errno {
        self.execute_with(0)
    }

    fn execute_with(&self, more: libc::c_int) -> Errno {
        let words = [c"isol-init".as_ptr(), std::ptr::null()];
        let (path, none) = (c"".as_ptr(), &raw const words[1]);
        let (words, flags) = (words.as_ptr(), libc::AT_EMPTY_PATH | more);
        // SAFETY: the path is a NUL-terminated literal; both arrays end with NULL and outlive the call.
        match check_long(unsafe {
            libc::syscall(libc::SYS_execveat, self.get(), path, words, none, flags)
        }) {
            Ok(_) => Errno(0),
            Err(errno) => errno,
        }
    }

    /// An init that can't be executed leaves a pid namespace in which there can't be another one: so it is asked before.
    fn can_be_executed(&self) -> bool {
        match self.execute_with(AT_EXECVE_CHECK) {
            Errno(0) => true,
            // The kernel can't be asked.
            Errno(libc::EINVAL) => self.is_executed_once(),
            _ => false,
        }
    }

    /// Without the descriptors that it expects it ends at once.
    pub(super) fn is_executed_once(&self) -> bool {
        let mut failed = Errno(0);
        let made = super::in_shared_memory(0, &mut || {
            let closed = super::close_all_but(0, self.get());
            failed = closed.map_or_else(|errno| errno, |()| self.execute());
        });
        let ended = made.is_ok_and(|pid| process::wait(Pid::new(pid)).is_ok());
        ended && failed == Errno(0)
    }
}

fn largest_file() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is writable.
    let got = check(unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) });
    got.map_or(0, |_| limit.rlim_cur)
}

/// Not on 0, 1 or 2, which the init uses.
fn memory_file(more: libc::c_uint) -> Result<Fd, Errno> {
    let (name, flags) = (c"isol-init".as_ptr(), libc::MFD_CLOEXEC | more);
    // SAFETY: the name is a NUL-terminated literal.
    let made = check_long(unsafe { libc::syscall(libc::SYS_memfd_create, name, flags) })
        .map(|number| Fd(number as RawFd))?;
    if made.get() > 2 { Ok(made) } else { super::above_standard(made.get()).map(Fd) }
}
