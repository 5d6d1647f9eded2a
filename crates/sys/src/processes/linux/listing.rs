//! What is read from /proc.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd};

use nix::fcntl::readlinkat;

use crate::errno::{check, check_long};
use crate::process::Pid;

/// The proc file system of this process's pid namespace.
pub(super) struct Proc {
    directory: File,
    /// Whether this is the kernel's first pid namespace, the only one that kernel threads are in.
    pub(super) is_first_namespace: bool,
}

impl Proc {
    pub(super) fn open() -> io::Result<Self> {
        let directory = File::open("/proc")?;
        let is_first_namespace = is_in_first_namespace(&directory);
        let proc = Self { directory, is_first_namespace };
        // No namespace is above the first one that it could be the list of; in a list of one below it this process is not.
        if is_first_namespace {
            return Ok(proc);
        }
        // The pids of another namespace mean other processes here.
        let own = proc.status(Pid::own().get())?.ok_or_else(not_ours)?;
        let line = own.lines().find_map(|line| line.strip_prefix("NSpid:"));
        let mut pids = line.unwrap_or_default().split_whitespace();
        let ours = pids.next().and_then(|pid| pid.parse().ok()) == Some(Pid::own().get());
        if ours && pids.next().is_none() { Ok(proc) } else { Err(not_ours()) }
    }

    /// Each process that is listed.
    ///
    /// # Errors
    /// The list could not be read, or somebody is missing in it.
    pub(super) fn each(&self, mut look: impl FnMut(i32) -> io::Result<()>) -> io::Result<()> {
        let (mut seen_self, mut seen_init) = (false, false);
        let own = Pid::own().get();
        // SAFETY: takes numbers; the descriptor is open.
        check_long(unsafe { libc::lseek(self.directory.as_raw_fd(), 0, libc::SEEK_SET) })
            .map_err(io::Error::from)?;
        let mut buffer = [0_u64; 2048];
        loop {
            let size = size_of_val(&buffer);
            // SAFETY: the buffer is writable and its size in bytes is given.
            let got = unsafe {
                libc::syscall(
                    libc::SYS_getdents64,
                    self.directory.as_raw_fd(),
                    buffer.as_mut_ptr(),
                    size,
                )
            };
            let got = check_long(got).map_err(io::Error::from)? as usize;
            if got == 0 {
                break;
            }
            // SAFETY: any byte may be read as a byte, and `got` of them were written.
            let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), got) };
            let mut rest = bytes;
            while let Some((name, next)) = crate::descriptors::split_entry(rest) {
                if let Some(pid) = crate::descriptors::number(name) {
                    seen_init |= pid == 1;
                    seen_self |= pid == own;
                    look(pid)?;
                }
                rest = next;
            }
        }
        // An empty directory is not an empty list, nor is a list that `hidepid` has cut.
        if seen_self && seen_init { Ok(()) } else { Err(not_ours()) }
    }

    /// What proc_pid_status(5) says of a process; `None` if it is gone.
    pub(super) fn status(&self, pid: i32) -> io::Result<Option<String>> {
        let mut path = [0_u8; 24];
        {
            use io::Write;
            write!(&mut path[..23], "{pid}/status")?;
        }
        let directory = self.directory.as_raw_fd();
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        // SAFETY: the path ends in NUL: the last byte of the array is never written.
        let opened = check(unsafe { libc::openat(directory, path.as_ptr().cast(), flags) });
        let mut status = match opened.map_err(io::Error::from) {
            // SAFETY: the descriptor has just been opened and is nobody else's.
            Ok(fd) => unsafe { File::from_raw_fd(fd) },
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut buffer = [0; 4096];
        let mut filled = 0;
        loop {
            // The uids are near the beginning; what does not fit is behind them.
            match status.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_gone(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(String::from_utf8_lossy(&buffer[..filled]).into_owned()))
    }
}

fn is_in_first_namespace(proc: &File) -> bool {
    // PROC_PID_INIT_INO of the kernel's sources, which has not changed since there are namespaces: 0xEFFF_FFFC. For stat(2)
    // the kernel would make an inode of the namespace.
    const FIRST: &str = "pid:[4026531836]";
    readlinkat(proc, "self/ns/pid").is_ok_and(|namespace| namespace == FIRST)
}

/// Real, effective, saved and file-system uid.
pub(super) fn uids(status: &str) -> impl Iterator<Item = u32> {
    let line = status.lines().find_map(|l| l.strip_prefix("Uid:")).unwrap_or_default();
    line.split_whitespace().filter_map(|n| n.parse().ok())
}

/// A process that is gone by now runs under no uid. No other error says that.
pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

fn not_ours() -> io::Error {
    io::Error::from_raw_os_error(libc::ENOENT)
}
