//! FreeBSD and macOS: statfs(2) tells both.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::Window;

fn statfs(fd: BorrowedFd<'_>) -> nix::Result<libc::statfs> {
    let mut found = MaybeUninit::uninit();
    // SAFETY: the structure is writable for the call.
    Errno::result(unsafe { libc::fstatfs(fd.as_raw_fd(), found.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded, so it is filled in.
    Ok(unsafe { found.assume_init() })
}

pub(super) fn is_proc(fd: BorrowedFd<'_>) -> nix::Result<bool> {
    window(fd).map(|window| window == Some(Window::Processes))
}

pub(super) fn window(fd: BorrowedFd<'_>) -> nix::Result<Option<Window>> {
    let found = statfs(fd)?;
    let name = &found.f_fstypename;
    // SAFETY: the array is one of bytes, whatever their sign, and is borrowed for as long.
    let name = unsafe { std::slice::from_raw_parts(name.as_ptr().cast::<u8>(), name.len()) };
    let name = CStr::from_bytes_until_nul(name).unwrap_or_default();
    Ok(by_name(name.to_bytes()))
}

pub(super) fn windows_below(path: &Path) -> nix::Result<Vec<(PathBuf, Window)>> {
    let all = crate::nmount::list().map_err(|errno| Errno::from_raw(errno.0))?;
    let found = all.into_iter().filter(|mount| mount.on.starts_with(path));
    Ok(found.filter_map(|mount| Some((mount.on, by_name(mount.kind.as_bytes())?))).collect())
}

fn by_name(kind: &[u8]) -> Option<Window> {
    match kind {
        b"procfs" | b"linprocfs" => Some(Window::Processes),
        b"mqueuefs" => Some(Window::MessageQueues),
        b"fdescfs" => Some(Window::Descriptors),
        _ => None,
    }
}

pub(super) fn mounted_by(fd: BorrowedFd<'_>) -> nix::Result<Option<u32>> {
    let owner = statfs(fd)?.f_owner;
    Ok((owner != 0).then_some(owner))
}
