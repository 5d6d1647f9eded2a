//! The calls.

use std::ffi::{CStr, CString, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use isol_core::Errno;
use libc::{c_char, c_long, statfs};

use super::{Forbids, Mounted};
use crate::errno::{check, last};
use crate::jail::Request;
use crate::process::{self, Status};
use crate::spawn::{self, Table};

pub(super) fn mount(at: BorrowedFd<'_>, request: &Request) -> Result<(), Errno> {
    let errno = |error: std::io::Error| Errno(error.raw_os_error().unwrap_or(libc::EIO));
    let (array, count) = request.array();
    let at = at.as_raw_fd();
    let mut work = || {
        // SAFETY: takes a number and touches no memory.
        if unsafe { libc::fchdir(at) } == -1 {
            return last().0;
        }
        // SAFETY: the array is of pairs that live as long as the request; the kernel writes to its last element only, which
        // has the room that it says.
        if unsafe { libc::nmount(array, count, 0) } == -1 { last().0 } else { 0 }
    };
    let child = spawn::child(Table::Copied, &mut work).map_err(errno)?;
    match process::wait(child).map_err(errno)? {
        Status::Exited(0) => Ok(()),
        Status::Exited(code) => Err(Errno(code)),
        _ => Err(Errno(libc::EINTR)),
    }
}

pub(super) fn list() -> Result<Vec<Mounted>, Errno> {
    let mut room = 64;
    loop {
        // SAFETY: all-zero bytes are a valid `statfs`, which is plain data.
        let mut found: Vec<statfs> = vec![unsafe { std::mem::zeroed() }; room];
        let size = size_of_val(found.as_slice()) as c_long;
        // SAFETY: the list is writable for the size that is given.
        let count = check(unsafe { libc::getfsstat(found.as_mut_ptr(), size, libc::MNT_NOWAIT) })?;
        // A list that is full may be cut.
        if (count as usize) < room {
            return Ok(found.iter().take(count as usize).map(read).collect());
        }
        room *= 2;
    }
}

pub(super) fn of(file: BorrowedFd<'_>) -> Result<Mounted, Errno> {
    let mut found = MaybeUninit::uninit();
    // SAFETY: the structure is writable for the call.
    check(unsafe { libc::fstatfs(file.as_raw_fd(), found.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded, so it is filled in.
    Ok(read(unsafe { found.assume_init_ref() }))
}

pub(super) fn forbids_at(path: &CStr) -> Result<Forbids, Errno> {
    let mut found = MaybeUninit::uninit();
    // SAFETY: the path is NUL-terminated, the structure is writable for the call.
    check(unsafe { libc::statfs(path.as_ptr(), found.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded, so it is filled in.
    Ok(forbids(unsafe { found.assume_init_ref() }))
}

pub(super) fn unmount(mount: &Mounted) -> Result<(), Errno> {
    // In a jail the kernel tells nobody its number.
    let (text, by) = match mount.id {
        [0, 0] => (mount.on.as_os_str().as_bytes().to_vec(), 0),
        [a, b] => (format!("FSID:{a}:{b}").into_bytes(), libc::MNT_BYFSID),
    };
    let text = CString::new(text).map_err(|_| Errno(libc::EINVAL))?;
    // SAFETY: the text is NUL-terminated and outlives the call.
    check(unsafe { libc::unmount(text.as_ptr(), libc::MNT_FORCE | by) }).map(drop)
}

fn forbids(found: &statfs) -> Forbids {
    let has = |flag: i32| found.f_flags & flag as u64 != 0;
    Forbids {
        write: has(libc::MNT_RDONLY),
        exec: has(libc::MNT_NOEXEC),
        set_id: has(libc::MNT_NOSUID),
    }
}

fn read(found: &statfs) -> Mounted {
    Mounted {
        // SAFETY: the structure is of two of these and nothing else.
        id: unsafe { std::mem::transmute::<libc::fsid_t, [i32; 2]>(found.f_fsid) },
        kind: String::from_utf8_lossy(&text(&found.f_fstypename)).into_owned(),
        from: path(&found.f_mntfromname),
        on: path(&found.f_mntonname),
        forbids: forbids(found),
    }
}

fn text(name: &[c_char]) -> Vec<u8> {
    name.iter().map(|&c| c as u8).take_while(|&b| b != 0).collect()
}

fn path(name: &[c_char]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(&text(name)))
}
