//! Mounts, file handles, file capabilities.

use std::ffi::{CStr, CString};
use std::os::fd::{OwnedFd, RawFd};

use isol_core::Errno;
use libc::{c_int, c_long};

use super::super::files::HERE;
use super::owned;
use crate::errno::{check, check_long};

/// Mounts an empty file system in memory.
///
/// # Errors
/// As mount(2).
pub fn mount_tmpfs(at: &CStr) -> Result<(), Errno> {
    let name = c"tmpfs".as_ptr();
    // SAFETY: all three names are NUL-terminated and outlive the call.
    check(unsafe { libc::mount(name, at.as_ptr(), name, 0, std::ptr::null()) }).map(drop)
}

/// Takes a mount away.
///
/// # Errors
/// As umount(2).
pub fn unmount(at: &CStr) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and outlives the call.
    check(unsafe { libc::umount2(at.as_ptr(), libc::MNT_DETACH) }).map(drop)
}

/// Whether this process could mount something: a file system that there is not is asked for.
///
/// # Errors
/// `EPERM`, or what else is in the way before the file system is looked for.
///
/// # References
/// mount(2): `ENODEV`
pub fn may_mount(at: &CStr) -> Result<(), Errno> {
    let none = c"isol-none".as_ptr();
    // SAFETY: all three names are NUL-terminated and outlive the call.
    match check(unsafe { libc::mount(none, at.as_ptr(), none, 0, std::ptr::null()) }) {
        Ok(_) | Err(Errno(libc::ENODEV)) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Whether this process could move the root of its mount namespace: to a path that there is not.
///
/// # Errors
/// `EPERM`.
///
/// # References
/// pivot_root(2): `ENOENT`
pub fn may_pivot_root() -> Result<(), Errno> {
    let none = c"/isol-prove-none".as_ptr();
    // SAFETY: the path is NUL-terminated.
    match check_long(unsafe { libc::syscall(libc::SYS_pivot_root, none, none) }) {
        Ok(_) | Err(Errno(libc::ENOENT)) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Leaves the host's mounts and IPC for copies that are this process's and its children's, so that what is made of
/// them goes with it; shared memory among them.
///
/// # Errors
/// As unshare(2) and mount(2).
pub fn own_mounts_and_ipc() -> Result<(), Errno> {
    // SAFETY: takes a number.
    check(unsafe { libc::unshare(libc::CLONE_NEWNS | libc::CLONE_NEWIPC) })?;
    let (root, none) = (c"/".as_ptr(), std::ptr::null());
    // SAFETY: the path is NUL-terminated; nothing else is looked at.
    check(unsafe { libc::mount(none, root, none, libc::MS_REC | libc::MS_PRIVATE, none.cast()) })?;
    mount_tmpfs(c"/dev/shm")
}

const HANDLE: usize = 128;

#[repr(C)]
struct FileHandle {
    bytes: u32,
    kind: c_int,
    handle: [u8; HANDLE],
}

/// A file's handle: its kind, and what names it within its file system.
///
/// # Errors
/// As name_to_handle_at(2).
pub fn handle_of(path: &CStr) -> Result<Vec<u8>, Errno> {
    let mut handle = FileHandle { bytes: HANDLE as u32, kind: 0, handle: [0; HANDLE] };
    let mut mount: c_int = 0;
    // SAFETY: the path is NUL-terminated; the handle has the room that it says; the mount id is writable.
    let answer = unsafe {
        libc::syscall(libc::SYS_name_to_handle_at, HERE, path.as_ptr(), &mut handle, &mut mount, 0)
    };
    check_long(answer)?;
    let mut packed = handle.kind.to_ne_bytes().to_vec();
    packed.extend_from_slice(&handle.handle[..handle.bytes as usize]);
    Ok(packed)
}

/// Opens a file by its handle, on the file system of a descriptor.
///
/// # Errors
/// As open_by_handle_at(2): `EPERM` without `CAP_DAC_READ_SEARCH`.
pub fn open_handle(packed: &[u8], mount: RawFd) -> Result<OwnedFd, Errno> {
    let (kind, rest) = packed.split_first_chunk().ok_or(Errno(libc::EINVAL))?;
    let mut handle = FileHandle {
        bytes: rest.len() as u32,
        kind: c_int::from_ne_bytes(*kind),
        handle: [0; HANDLE],
    };
    handle.handle.get_mut(..rest.len()).ok_or(Errno(libc::EINVAL))?.copy_from_slice(rest);
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: the handle is readable, for the length that it says.
    owned(unsafe { libc::syscall(libc::SYS_open_by_handle_at, mount, &handle, flags) })
}

// The same numbers on every architecture; from the kernel's asm-generic/unistd.h.
const SYS_STATMOUNT: c_long = 457;
const SYS_LISTMOUNT: c_long = 458;
const STATMOUNT_MNT_POINT: u64 = 0x10;

#[repr(C)]
struct Request {
    size: u32,
    spare: u32,
    mount: u64,
    parameter: u64,
    namespace: u64,
}

impl Request {
    const fn new(mount: u64, parameter: u64) -> Self {
        Self { size: size_of::<Self>() as u32, spare: 0, mount, parameter, namespace: 0 }
    }
}

/// The mount points that this process can list: by `/proc`, or by asking the kernel.
///
/// # Errors
/// As listmount(2).
pub fn mounts() -> Result<Vec<String>, Errno> {
    if let Ok(text) = std::fs::read_to_string("/proc/self/mountinfo") {
        let points = text.lines().filter_map(|line| line.split(' ').nth(4).map(str::to_owned));
        return Ok(points.collect());
    }
    const ROOT: u64 = u64::MAX;
    let (request, mut found) = (Request::new(ROOT, 0), [0_u64; 512]);
    // SAFETY: the request is readable, and the list is writable for the length that is given.
    let count = check_long(unsafe {
        libc::syscall(SYS_LISTMOUNT, &request, found.as_mut_ptr(), found.len(), 0)
    })?;
    found[..count as usize].iter().map(|&mount| mount_point(mount)).collect()
}

fn mount_point(mount: u64) -> Result<String, Errno> {
    // `struct statmount`: where the offset of the mount point stands, and where strings begin.
    const OFFSET: usize = 0x50;
    const STRINGS: usize = 512;
    let (request, mut buffer) = (Request::new(mount, STATMOUNT_MNT_POINT), vec![0_u8; 8192]);
    // SAFETY: the request is readable, and the buffer is writable for the length that is given.
    check_long(unsafe {
        libc::syscall(SYS_STATMOUNT, &request, buffer.as_mut_ptr(), buffer.len(), 0)
    })?;
    let offset = buffer[OFFSET..].first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
    let text = buffer.get(STRINGS + offset as usize..).unwrap_or_default();
    let text =
        CStr::from_bytes_until_nul(text).map(CStr::to_owned).unwrap_or_else(|_| CString::default());
    Ok(text.to_string_lossy().into_owned())
}

/// Gives a file capabilities that whoever executes it gets, in force at once.
///
/// # Errors
/// As setxattr(2).
///
/// # References
/// capabilities(7), xattr(7)
pub fn set_file_capabilities(path: &CStr, permitted: u64) -> Result<(), Errno> {
    const REVISION_2: u32 = 0x0200_0000;
    const EFFECTIVE: u32 = 1;
    let words = [REVISION_2 | EFFECTIVE, permitted as u32, 0, (permitted >> 32) as u32, 0];
    let bytes: Vec<u8> = words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    let name = c"security.capability".as_ptr();
    // SAFETY: both names are NUL-terminated, and the value is readable for its length.
    let answer =
        unsafe { libc::setxattr(path.as_ptr(), name, bytes.as_ptr().cast(), bytes.len(), 0) };
    check(answer).map(drop)
}
