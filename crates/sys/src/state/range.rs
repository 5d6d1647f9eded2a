//! One file of the state directory, of which each byte can be locked on its own: for what is held so briefly that a file
//! each would cost more than it is worth. It stays when nothing is held.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "range/linux.rs"]
        mod os;
    } else {
        #[path = "range/whole.rs"]
        mod os;
    }
}

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::{StateDir, StateError};

/// The file that the bytes are in. Sweeps leave it alone.
pub const RANGE_FILE: &str = "uids";

const FLAGS: OFlag =
    OFlag::O_RDWR.union(OFlag::O_CREAT).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// A byte of [`RANGE_FILE`] that this process has locked. It is let go of when all descriptors of this open file are
/// closed, those of forked children among them, or when this value is dropped.
#[derive(Debug)]
pub struct Byte(File);

impl StateDir {
    /// Locks a byte, and waits for it no longer than `patience`; `None` if somebody else has it for all of that time.
    ///
    /// Where the system has no locks of open files' parts, the whole file is locked: then whoever has another byte is
    /// waited for, too.
    ///
    /// # Errors
    /// [`StateError::Io`] if the file can't be made or locked.
    ///
    /// # References
    /// fcntl(2), `F_OFD_SETLK`; flock(2)
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let scratch = tempfile::tempdir()?;
    /// # let state = isol_sys::state::StateDir::open_at(&scratch.path().join("state"))?;
    /// let byte = state.lock_byte(33, Duration::ZERO)?.expect("nobody has it");
    /// assert!(state.lock_byte(33, Duration::ZERO)?.is_none());
    /// drop(byte);
    /// assert!(state.lock_byte(33, Duration::ZERO)?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lock_byte(&self, byte: u32, patience: Duration) -> Result<Option<Byte>, StateError> {
        let io = |call, source| self.io(call, RANGE_FILE, source);
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let fd: OwnedFd = openat(self, RANGE_FILE, FLAGS, mode).map_err(|e| io("open", e))?;
        let (file, end) = (File::from(fd), Instant::now() + patience);
        let mut pause = Duration::from_micros(200);
        loop {
            match os::try_lock(file.as_fd(), byte) {
                Ok(()) => return Ok(Some(Byte(file))),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN | Errno::EACCES) if Instant::now() >= end => return Ok(None),
                Err(Errno::EAGAIN | Errno::EACCES) => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(20));
                }
                Err(e) => return Err(io("lock", e)),
            }
        }
    }
}

impl AsFd for Byte {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Byte {
    // Explicitly, because a child that another thread has forked may have a copy that it has not closed yet.
    fn drop(&mut self) {
        os::unlock(self.0.as_fd());
    }
}
