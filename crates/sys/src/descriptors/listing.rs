//! Systems without close_range(2): the kernel's own listing of the process, read
//! again until nothing is left to close.

use std::os::fd::RawFd;

use isol_core::Errno;

pub(super) fn close_between(first: RawFd, last: RawFd) -> Result<(), Errno> {
    loop {
        let mut closed = false;
        listed(|fd| {
            if (first..=last).contains(&fd) {
                // SAFETY: nothing in this process relies on the descriptor: it is about
                // to become another program, or has named those that it keeps.
                closed |= unsafe { libc::close(fd) } == 0;
            }
        })?;
        if !closed {
            return Ok(());
        }
    }
}

cfg_if::cfg_if! {
    if #[cfg(target_os = "macos")] {
        /// proc_pidinfo(3) is a bare system call, unlike opendir(3) on /dev/fd.
        fn listed(mut see: impl FnMut(RawFd)) -> Result<(), Errno> {
            const EMPTY: libc::proc_fdinfo = libc::proc_fdinfo { proc_fd: 0, proc_fdtype: 0 };
            let mut entries = [EMPTY; 1024];
            let size = size_of_val(&entries) as libc::c_int;
            // SAFETY: no arguments, cannot fail.
            let pid = unsafe { libc::getpid() };
            // SAFETY: the array is writable and its size in bytes is given.
            let got = unsafe {
                libc::proc_pidinfo(pid, libc::PROC_PIDLISTFDS, 0, entries.as_mut_ptr().cast(), size)
            };
            if got <= 0 {
                return Err(crate::errno::last());
            }
            let count = got as usize / size_of::<libc::proc_fdinfo>();
            entries[..count].iter().for_each(|entry| see(entry.proc_fd));
            Ok(())
        }
    } else {
        /// Every number below the limit. A limit that was lowered hides those above it,
        /// so that the hard one counts.
        fn listed(mut see: impl FnMut(RawFd)) -> Result<(), Errno> {
            let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: the structure is writable for the call.
            crate::errno::check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
            (3..limit.rlim_max.min(1 << 20) as RawFd).for_each(&mut see);
            Ok(())
        }
    }
}
