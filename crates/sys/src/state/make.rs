//! Making a lock file that is locked from the moment that it has its name.
//!
//! A file that is made first and locked then can be had by a sweeper in between, who takes it for stale, while its
//! maker is told that somebody holds it. So the file is made and locked under a name that nobody looks for, and then
//! given its own by link(2), which fails if there is one.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, FlockArg, OFlag, openat};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use super::lock::{FLAGS, errno, flock};
use super::{StateDir, StateError};
use crate::meta::Meta;

/// What the names of files begin with that are not locks yet.
const NEW: &str = ".new-";

impl StateDir {
    /// The new file, locked, or `None` if there is one by that name.
    pub(super) fn make_locked(&self, file: &str) -> Result<Option<File>, StateError> {
        // Without this, every look at a lock that is held would make and remove a file.
        match Meta::at(self, file) {
            Ok(_) => return Ok(None),
            Err(Errno::ENOENT) => {}
            Err(e) => return Err(self.io("fstatat", file, e)),
        }
        loop {
            let new = unused_name();
            let made = match self.make_unnamed(&new) {
                Ok(Some(made)) => made,
                Ok(None) => continue,
                Err(e) => {
                    // On a full disk, say. The first error is the one to tell.
                    let _ = self.unlink_new(&new);
                    return Err(e);
                }
            };
            let linked = linkat(self, new.as_str(), self, file, AtFlags::empty());
            self.unlink_new(&new)?;
            match linked {
                Ok(()) => return Ok(Some(made)),
                Err(Errno::EEXIST) => return Ok(None),
                // Somebody has tidied up by hand.
                Err(Errno::ENOENT) => {}
                Err(e) => return Err(self.io("link", file, e)),
            }
        }
    }

    fn unlink_new(&self, new: &str) -> Result<(), StateError> {
        match unlinkat(self, new, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(e) => Err(self.io("unlink", new, e)),
        }
    }

    /// A locked file by a name that it will not keep; `None` if a sweeper has had it first.
    fn make_unnamed(&self, new: &str) -> Result<Option<File>, StateError> {
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let made = match openat(self, new, FLAGS | OFlag::O_CREAT | OFlag::O_EXCL, mode) {
            Ok(fd) => File::from(fd),
            Err(Errno::EEXIST) => return Ok(None),
            Err(e) => return Err(self.io("open", new, e)),
        };
        match flock(&made, FlockArg::LockExclusiveNonblock) {
            Ok(()) => {}
            Err(Errno::EWOULDBLOCK) => return Ok(None),
            Err(e) => return Err(self.io("flock", new, e)),
        }
        // Whatever the umask.
        fchmod(&made, mode).map_err(|e| self.io("fchmod", new, e))?;
        // Before it has its name: whoever finds it stale finds whose it was.
        let pid = format!("{}\n", process::id());
        made.write_all_at(pid.as_bytes(), 0).map_err(|e| self.io("write", new, errno(&e)))?;
        Ok(self.is_named(&made, new)?.then_some(made))
    }

    /// Removes `name` if it is a file that somebody was killed at making.
    pub(super) fn sweep_unmade(&self, name: &str) -> Result<(), StateError> {
        if !name.starts_with(NEW) {
            return Ok(());
        }
        let file = match openat(self, name, FLAGS, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::ENOENT) => return Ok(()),
            Err(e) => return Err(self.io("open", name, e)),
        };
        match flock(&file, FlockArg::LockExclusiveNonblock) {
            Ok(()) => {}
            Err(Errno::EWOULDBLOCK) => return Ok(()),
            Err(e) => return Err(self.io("flock", name, e)),
        }
        if self.is_named(&file, name)? { self.unlink_new(name) } else { Ok(()) }
    }
}

/// Names are never used twice while their file is there: not by this process, and pids are not either.
fn unused_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{NEW}{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
