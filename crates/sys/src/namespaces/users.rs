//! User namespaces and the ids in them.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use isol_core::{Errno, IdRange};

use super::Denied;
use crate::errno::{check, check_long};
use crate::process::{self, Pid, Status};
use crate::subids::{Helpers, MapError};

/// Enough for a few system calls.
const STACK: usize = 16 * 1024;

/// One that is in the namespace while its maps are written.
struct Holder {
    pid: Pid,
    /// Its stack, in the memory that it shares.
    _stack: Vec<u8>,
}

impl Holder {
    fn start() -> io::Result<Self> {
        let mut stack = vec![0_u8; STACK];
        let top = stack.as_mut_ptr_range().end.cast::<libc::c_void>();
        let top = top.wrapping_byte_sub(top as usize % 16);
        // In the holder, nothing comes that would end its one call.
        let mask = crate::signals::block_all()?;
        let flags = libc::CLONE_VM | libc::CLONE_NEWUSER | libc::SIGCHLD;
        let own = Pid::own().get() as usize as *mut libc::c_void;
        // SAFETY: the stack is the holder's alone and lives until it has been waited for; it makes three system calls, the
        // last of which never returns, for all signals are blocked, and touches nothing else of this memory, but for
        // errno where the first one fails, which this thread reads only behind a call of its own that has failed.
        let pid = unsafe { libc::clone(hold, top, flags, own) };
        let made = if pid == -1 { Err(io::Error::last_os_error()) } else { Ok(Pid::new(pid)) };
        // Before anything can return: its stack must not go before it has.
        let holder = made.map(|pid| Self { pid, _stack: stack });
        crate::signals::restore(&mask)?;
        holder
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.pid)
    }

    fn namespace(&self) -> io::Result<OwnedFd> {
        Ok(File::open(self.file("ns/user"))?.into())
    }
}

/// Waits to be killed, by its parent or with it.
extern "C" fn hold(parent: *mut libc::c_void) -> libc::c_int {
    let signal = libc::SIGKILL as libc::c_ulong;
    // SAFETY: takes numbers.
    let set = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal, 0, 0, 0) };
    // A parent that has ended before sends nothing.
    if set == -1 || Pid::parent().get() as usize != parent as usize {
        return 1;
    }
    loop {
        // SAFETY: no arguments.
        unsafe { libc::pause() };
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = process::signal(self.pid, libc::SIGKILL);
        let _ = process::wait(self.pid);
    }
}

pub(super) fn make(uids: &[IdRange], gids: &[IdRange]) -> io::Result<OwnedFd> {
    let holder = Holder::start()?;
    std::fs::write(holder.file("uid_map"), lines(uids))?;
    std::fs::write(holder.file("gid_map"), lines(gids))?;
    holder.namespace()
}

/// Nobody goes on in it before both programs have ended and what they wrote has been read.
pub(super) fn make_of_given(
    uids: &[IdRange],
    gids: &[IdRange],
    by: &Helpers,
) -> Result<OwnedFd, MapError> {
    let holder = Holder::start()?;
    for (helper, map, ranges) in [(by.uids(), "uid_map", uids), (by.gids(), "gid_map", gids)] {
        helper.write(holder.pid, ranges)?;
        let found = std::fs::read_to_string(holder.file(map))?;
        let numbers = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        if numbers(&found) != numbers(&lines(ranges)) {
            return Err(MapError::Other { program: helper.path().to_owned(), found });
        }
    }
    Ok(holder.namespace()?)
}

fn lines(ranges: &[IdRange]) -> String {
    let line = |range: &IdRange| format!("{} {} {}\n", range.inside, range.outside, range.count);
    ranges.iter().map(line).collect()
}

pub(super) fn try_one() -> Result<(), Denied> {
    // A security module may let it be made and take its privileges away. The child shares this memory.
    let mut made = false;
    let mut child = || {
        let done = check(leave_users_and_mounts()).and_then(|_| {
            made = true;
            crate::mounts::cut_off()
        });
        done.map_or_else(|errno| errno.0, |()| 0)
    };
    let pid =
        crate::spawn::child(crate::spawn::Table::Copied, &mut child).map_err(Denied::Making)?;
    let error = match process::wait(pid).map_err(Denied::Making)? {
        Status::Exited(0) => return Ok(()),
        Status::Exited(errno) => io::Error::from_raw_os_error(errno),
        // A filter that kills.
        _ => io::Error::from_raw_os_error(libc::ENOSYS),
    };
    Err(if made { Denied::Privileges(error) } else { Denied::Making(error) })
}

fn leave_users_and_mounts() -> libc::c_int {
    // SAFETY: takes a number.
    unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) }
}

pub(super) fn write(path: &CStr, text: &[u8]) -> Result<(), Errno> {
    let flags = libc::O_WRONLY | libc::O_CLOEXEC;
    // SAFETY: the path is NUL-terminated.
    let file = check(unsafe { libc::open(path.as_ptr(), flags) })?;
    // SAFETY: the text is readable for its length.
    let written = unsafe { libc::write(file, text.as_ptr().cast(), text.len()) };
    let result = check_long(written as libc::c_long);
    // SAFETY: opened above, closed once.
    unsafe { libc::close(file) };
    if result? as usize == text.len() { Ok(()) } else { Err(Errno(libc::EIO)) }
}

pub(super) fn make_files_as(uid: u32, gid: u32) -> Result<(), Errno> {
    const ASK: libc::uid_t = libc::uid_t::MAX;
    // They answer with what was before, and tell of no failure.
    // SAFETY: takes a number.
    unsafe { libc::setfsgid(gid) };
    // SAFETY: takes a number.
    unsafe { libc::setfsuid(uid) };
    // SAFETY: takes a number that is no id: nothing changes.
    let uid_now = unsafe { libc::setfsuid(ASK) } as u32;
    // SAFETY: the same.
    let gid_now = unsafe { libc::setfsgid(ASK) } as u32;
    if (uid_now, gid_now) == (uid, gid) { Ok(()) } else { Err(Errno(libc::EPERM)) }
}
