//! Linux: a file system has them, one for each IPC namespace.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{Mode, fstatat};
use nix::sys::statfs::{FsType, fstatfs};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::Uid;
use crate::listing::{Chunk, Listing};
use crate::mounts::{Forbids, new_filesystem};

/// `MQUEUE_MAGIC` of the kernel's ipc/mqueue.c.
const MAGIC: FsType = FsType(0x1980_0202);

pub(super) fn any_of(uid: Uid) -> io::Result<bool> {
    let mut any = false;
    each_of(uid, |_, _| {
        any = true;
        Ok(())
    })?;
    Ok(any)
}

pub(super) fn remove_of(uid: Uid) -> io::Result<()> {
    each_of(uid, |all, name| match unlinkat(all, name.as_c_str(), UnlinkatFlags::NoRemoveDir) {
        Err(Errno::ENOENT) => Ok(()),
        done => Ok(done?),
    })
}

fn each_of(
    uid: Uid,
    mut each: impl FnMut(BorrowedFd<'_>, &CString) -> io::Result<()>,
) -> io::Result<()> {
    let Some(directory) = directory()? else { return Ok(()) };
    let listing = Listing::new(directory)?;
    let (mut chunk, mut names) = (Chunk::new(4096), Vec::new());
    while listing.read(&mut chunk)? {
        names.extend(chunk.entries().map(|(name, _)| name.to_owned()));
    }
    for name in names {
        match fstatat(listing.as_fd(), name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(queue) if queue.st_uid == uid.get() => each(listing.as_fd(), &name)?,
            Ok(_) | Err(Errno::ENOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The file system's root, where it is usually mounted or by a mount of our own; none if it can't be had.
fn directory() -> io::Result<Option<OwnedFd>> {
    let how = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    if let Ok(mounted) = open("/dev/mqueue", how, Mode::empty())
        && fstatfs(&mounted).is_ok_and(|found| found.filesystem_type() == MAGIC)
    {
        return Ok(Some(mounted));
    }
    let forbids = Forbids { write: false, exec: true, devices: true };
    let Ok(mount) = new_filesystem(c"mqueue", &[], forbids) else { return Ok(None) };
    Ok(Some(openat(&mount, ".", how, Mode::empty())?))
}

#[cfg(all(test, feature = "attempts"))]
mod tests {
    use super::*;
    use crate::attempts;

    #[test]
    fn a_queue_is_found_by_its_owner_and_removed() {
        let uid = Uid::new(4_000_000_002).unwrap();
        if crate::ids::effective_uid() != 0 || directory().unwrap().is_none() {
            return;
        }
        let name = CString::new(format!("/isol-sys-{}", std::process::id())).unwrap();
        let child = attempts::fork(&mut || {
            let is_theirs = crate::ids::set_uid(uid, isol_core::ThreadScope::Alone).is_ok();
            i32::from(!is_theirs || attempts::queue_make(&name).is_err())
        });
        let (ended, _) = attempts::reap(child.unwrap()).unwrap();
        assert_eq!(ended, crate::process::Status::Exited(0));
        assert!(any_of(uid).unwrap());
        remove_of(uid).unwrap();
        assert!(!any_of(uid).unwrap());
    }
}
