//! One lock: a file that is there, and locked, for as long as something is in use.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{FlockArg, OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, UnlinkatFlags, getpid, unlinkat};

use super::{StateDir, StateError};
use crate::meta::Meta;

/// A lock that this process holds.
///
/// [`release`](Self::release) and dropping it unlink the file first and let go of it then, so that nobody ever holds
/// a file that has no name. Two things to know:
///
/// - a flock(2) belongs to the open file description: a child forked while it is held holds it too, until it
///   executes something (the descriptor is close-on-exec) or exits. Dropping the copy of this value in such a child
///   does nothing: the lock is the parent's.
/// - a lock that [`StateDir::stale`] gave stays where it is when it is dropped, and has to be released explicitly:
///   what it stands for may not be gone yet.
#[derive(Debug)]
pub struct Lock {
    file: File,
    dir: Arc<OwnedFd>,
    path: PathBuf,
    name: String,
    holder: Pid,
    unlink: bool,
}

impl StateDir {
    /// Takes the lock `name`, or returns `None` if somebody holds it (a sweeper that looks whether it is stale does
    /// so for a moment, too).
    ///
    /// A lock whose holder has died is taken over, and what it says of itself is overwritten: what it stood for is to be
    /// swept before.
    ///
    /// # Errors
    /// [`StateError::BadName`], and [`StateError::Io`] if the file can't be made, locked or written.
    ///
    /// # References
    /// flock(2), open(2)
    ///
    /// ```
    /// # let scratch = tempfile::tempdir()?;
    /// # let state = isol_sys::state::StateDir::open_at(&scratch.path().join("state"))?;
    /// let lock = state.try_lock("job")?.expect("nobody has it");
    /// assert!(state.try_lock("job")?.is_none());
    /// lock.release()?;
    /// assert_eq!(std::fs::read_dir(state.path())?.count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_lock(&self, name: &str) -> Result<Option<Lock>, StateError> {
        let file = file_name(name)?;
        loop {
            let (held, fresh) = match self.make_locked(&file)? {
                Some(made) => (made, true),
                None => match openat(self, file.as_str(), FLAGS, Mode::empty()) {
                    Ok(fd) => (File::from(fd), false),
                    Err(Errno::ENOENT) => continue,
                    Err(e) => return Err(self.io("open", &file, e)),
                },
            };
            // A fresh one is locked already.
            let locked = if fresh { Ok(()) } else { flock(&held, FlockArg::LockExclusiveNonblock) };
            match locked {
                Ok(()) => {}
                Err(Errno::EWOULDBLOCK) => return Ok(None),
                Err(e) => return Err(self.io("flock", &file, e)),
            }
            if fresh || self.is_named(&held, &file)? {
                let lock = self.hold(held, name.to_owned(), &file, true);
                if !fresh {
                    lock.set_payload("")?;
                }
                return Ok(Some(lock));
            }
        }
    }

    /// The lock of a stale file, `None` if it is not stale or gone.
    pub(super) fn try_stale(&self, name: String) -> Result<Option<Lock>, StateError> {
        let file = file_name(&name)?;
        let fd = match openat(self, file.as_str(), FLAGS, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::ENOENT) => return Ok(None),
            Err(e) => return Err(self.io("open", &file, e)),
        };
        let held = File::from(fd);
        match flock(&held, FlockArg::LockExclusiveNonblock) {
            Ok(()) if self.is_named(&held, &file)? => Ok(Some(self.hold(held, name, &file, false))),
            Ok(()) | Err(Errno::EWOULDBLOCK) => Ok(None),
            Err(e) => Err(self.io("flock", &file, e)),
        }
    }

    fn hold(&self, file: File, name: String, file_name: &str, unlink: bool) -> Lock {
        let path = self.path.join(file_name);
        Lock { file, dir: Arc::clone(&self.fd), path, name, holder: getpid(), unlink }
    }

    /// Whether `file` still is what the name means: its last holder may have unlinked it after it was opened here.
    pub(super) fn is_named(&self, held: &File, file: &str) -> Result<bool, StateError> {
        let own = Meta::of(held).map_err(|e| self.io("fstat", file, e))?;
        match Meta::at(self, file) {
            Ok(named) => Ok(own.nlink > 0 && own.same_file(&named)),
            Err(Errno::ENOENT) => Ok(false),
            Err(e) => Err(self.io("fstatat", file, e)),
        }
    }
}

/// Not `nix::fcntl::Flock`: that unlocks when it is dropped, in a forked child too, where the lock is the parent's.
/// It never waits, so that a signal is no reason not to have it.
#[allow(deprecated)]
pub(super) fn flock(file: &File, arg: FlockArg) -> nix::Result<()> {
    loop {
        match nix::fcntl::flock(file.as_raw_fd(), arg) {
            Err(Errno::EINTR) => {}
            done => return done,
        }
    }
}

pub(super) const FLAGS: OFlag =
    OFlag::O_RDWR.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC).union(OFlag::O_NONBLOCK);
const SUFFIX: &str = ".lock";
/// More than any payload; a stale file is read up to here.
const MAX_PAYLOAD: usize = 64 * 1024;

fn file_name(name: &str) -> Result<String, StateError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(allowed)
        && name.len() <= 200
    {
        Ok(format!("{name}{SUFFIX}"))
    } else {
        Err(StateError::BadName { name: name.to_owned() })
    }
}

/// The lock's name in the name of its file.
pub(super) fn lock_name(file: &str) -> Option<&str> {
    file.strip_suffix(SUFFIX).filter(|name| file_name(name).is_ok())
}

impl Lock {
    /// Its name, without `.lock`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes what is to be known of what it stands for, after the holder's pid. Replaces what was there.
    ///
    /// # Errors
    /// [`StateError::Io`] if the file can't be written.
    pub fn set_payload(&self, payload: &str) -> Result<(), StateError> {
        let text = format!("{}\n{payload}", self.holder);
        // Whatever is longer goes first, so that its end never stands behind another text. What is cut to nothing and
        // written anew some file systems bring to the disk at once.
        let meta = Meta::of(&self.file).map_err(|e| self.failed("fstat", e))?;
        let cut = if meta.size > text.len() as u64 { self.file.set_len(0) } else { Ok(()) };
        let written = cut.and_then(|()| self.file.write_all_at(text.as_bytes(), 0));
        written.map_err(|e| self.io("write", e))
    }

    /// What the holder wrote: its pid, and the text after it. A holder that was killed while it replaced the text may
    /// have left neither.
    ///
    /// # Errors
    /// [`StateError::Io`] if the file can't be read.
    pub fn payload(&self) -> Result<(Option<i32>, String), StateError> {
        let mut bytes = vec![0; MAX_PAYLOAD];
        let mut len = 0;
        while len < bytes.len() {
            match self.file.read_at(&mut bytes[len..], len as u64) {
                Ok(0) => break,
                Ok(n) => len += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.io("read", e)),
            }
        }
        let text = String::from_utf8_lossy(&bytes[..len]);
        let (pid, rest) = text.split_once('\n').unwrap_or((&text, ""));
        Ok((pid.parse().ok(), rest.to_owned()))
    }

    /// Removes the file and lets go of it.
    ///
    /// # Errors
    /// [`StateError::Io`] if the file can't be unlinked; it is then unlocked, and found stale by the next sweep.
    pub fn release(mut self) -> Result<(), StateError> {
        // Not once more by `drop`.
        self.unlink = false;
        self.remove()
    }

    /// Leaves the file where it is and lets go of it, so that the next sweep finds it stale.
    pub fn abandon(mut self) {
        self.unlink = false;
    }

    fn remove(&self) -> Result<(), StateError> {
        if self.holder != getpid() {
            return Ok(());
        }
        // An administrator may have removed it, and somebody else made a new one since: that one isn't ours.
        let file = format!("{}{SUFFIX}", self.name);
        let own = Meta::of(&self.file).map_err(|e| self.failed("fstat", e))?;
        match Meta::at(&self.dir, file.as_str()) {
            Ok(named) if named.same_file(&own) => {}
            Ok(_) | Err(Errno::ENOENT) => return Ok(()),
            Err(e) => return Err(self.failed("fstatat", e)),
        }
        unlinkat(&self.dir, file.as_str(), UnlinkatFlags::NoRemoveDir)
            .map_err(|e| self.failed("unlink", e))
    }

    fn io(&self, call: &'static str, error: io::Error) -> StateError {
        self.failed(call, errno(&error))
    }

    fn failed(&self, call: &'static str, source: Errno) -> StateError {
        StateError::Io { call, path: self.path.clone(), source }
    }
}

pub(super) fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO))
}

impl AsFd for Lock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.holder != getpid() {
            // The copy in a forked child: closed with everything else when it executes or exits.
            return;
        }
        if self.unlink {
            // What can't be removed is unlocked all the same, so that a sweep can have it.
            let _ = self.remove();
        }
        // Explicitly, because a child forked by another thread may have a copy that it has not closed yet.
        let _ = flock(&self.file, FlockArg::Unlock);
    }
}
