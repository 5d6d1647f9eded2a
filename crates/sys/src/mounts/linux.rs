//! The calls, those that the C libraries lack by their numbers.

use std::ffi::CStr;
use std::os::fd::RawFd;

use isol_core::Errno;
use libc::{c_int, c_long, c_uint};

use super::{Fd, Forbids, Is, What};
use crate::errno::{check, check_long};

fn fd(found: c_long) -> Result<Fd, Errno> {
    check_long(found).map(|number| Fd(number as RawFd))
}

pub(super) fn cut_off() -> Result<(), Errno> {
    let none = std::ptr::null();
    let flags = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: the path is a NUL-terminated literal; nothing else is looked at for a change of the propagation.
    check(unsafe { libc::mount(none, c"/".as_ptr(), none, flags, none.cast()) }).map(drop)
}

const OPEN_TREE_CLONE: c_uint = 1;
const OPEN_TREE_CLOEXEC: c_uint = libc::O_CLOEXEC as c_uint;

pub(super) fn copy_tree(at: RawFd, path: &CStr, deep: bool) -> Result<Fd, Errno> {
    let deep = if deep { libc::AT_RECURSIVE as c_uint } else { 0 };
    let empty = libc::AT_EMPTY_PATH as c_uint;
    let flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | empty | deep;
    // SAFETY: the path is NUL-terminated.
    fd(unsafe { libc::syscall(libc::SYS_open_tree, at, path.as_ptr(), flags) })
}

const FSOPEN_CLOEXEC: c_uint = 1;
const FSMOUNT_CLOEXEC: c_uint = 1;
const FSCONFIG_SET_FLAG: c_uint = 0;
const FSCONFIG_SET_STRING: c_uint = 1;
const FSCONFIG_CMD_CREATE: c_uint = 6;

const MOUNT_ATTR_RDONLY: u64 = 1;
const MOUNT_ATTR_NOSUID: u64 = 2;
const MOUNT_ATTR_NODEV: u64 = 4;
const MOUNT_ATTR_NOEXEC: u64 = 8;

fn attributes(forbids: Forbids) -> u64 {
    let bit = |yes, bit| if yes { bit } else { 0 };
    MOUNT_ATTR_NOSUID
        | bit(forbids.write, MOUNT_ATTR_RDONLY)
        | bit(forbids.exec, MOUNT_ATTR_NOEXEC)
        | bit(forbids.devices, MOUNT_ATTR_NODEV)
}

pub(super) fn new_filesystem(
    kind: &CStr,
    options: &[(&CStr, Option<&CStr>)],
    forbids: Forbids,
) -> Result<Fd, Errno> {
    // SAFETY: the type is NUL-terminated.
    let context = fd(unsafe { libc::syscall(libc::SYS_fsopen, kind.as_ptr(), FSOPEN_CLOEXEC) })?;
    for (key, value) in options {
        let command = if value.is_some() { FSCONFIG_SET_STRING } else { FSCONFIG_SET_FLAG };
        configure(&context, command, key.as_ptr(), value.map_or(std::ptr::null(), CStr::as_ptr))?;
    }
    configure(&context, FSCONFIG_CMD_CREATE, std::ptr::null(), std::ptr::null())?;
    let (flags, attributes) = (FSMOUNT_CLOEXEC, attributes(forbids) as c_uint);
    // SAFETY: takes three numbers.
    fd(unsafe { libc::syscall(libc::SYS_fsmount, context.get(), flags, attributes) })
}

fn configure(
    context: &Fd,
    command: c_uint,
    key: *const libc::c_char,
    value: *const libc::c_char,
) -> Result<(), Errno> {
    // SAFETY: key and value are NUL-terminated, or null where the command takes none.
    check_long(unsafe {
        libc::syscall(libc::SYS_fsconfig, context.get(), command, key, value, 0 as c_int)
    })
    .map(drop)
}

#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

pub(super) fn restrict(mount: RawFd, forbids: Forbids, deep: bool) -> Result<(), Errno> {
    let flags = libc::AT_EMPTY_PATH | if deep { libc::AT_RECURSIVE } else { 0 };
    let attr = MountAttr { set: attributes(forbids), clear: 0, propagation: 0, user_namespace: 0 };
    // SAFETY: the path is a NUL-terminated literal, and the structure is readable for its size.
    check_long(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount,
            c"".as_ptr(),
            flags as c_uint,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    })
    .map(drop)
}

const MOVE_MOUNT_F_EMPTY_PATH: c_uint = 4;
const MOVE_MOUNT_T_EMPTY_PATH: c_uint = 0x40;

pub(super) fn attach(mount: RawFd, at: RawFd, path: &CStr) -> Result<(), Errno> {
    let to_itself = if path.is_empty() { MOVE_MOUNT_T_EMPTY_PATH } else { 0 };
    let flags = MOVE_MOUNT_F_EMPTY_PATH | to_itself;
    // SAFETY: both paths are NUL-terminated.
    check_long(unsafe {
        libc::syscall(libc::SYS_move_mount, mount, c"".as_ptr(), at, path.as_ptr(), flags)
    })
    .map(drop)
}

pub(super) fn open_below(directory: RawFd, path: &CStr, what: What) -> Result<Fd, Errno> {
    let kind = match what {
        What::Directory => libc::O_DIRECTORY,
        What::Anything => libc::O_NOFOLLOW,
    };
    open_place(directory, path, kind, libc::RESOLVE_IN_ROOT)
}

pub(super) fn open_without_links(path: &CStr) -> Result<Fd, Errno> {
    open_place(libc::AT_FDCWD, path, libc::O_NOFOLLOW, 0)
}

fn open_place(directory: RawFd, path: &CStr, kind: c_int, resolve: u64) -> Result<Fd, Errno> {
    // SAFETY: all-zero bytes are a valid `open_how`, which is three numbers.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (libc::O_PATH | libc::O_CLOEXEC | kind) as u64;
    how.resolve = resolve | libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_NO_MAGICLINKS;
    // SAFETY: the path is NUL-terminated, and the structure is readable for its size.
    fd(unsafe {
        libc::syscall(
            libc::SYS_openat2,
            directory,
            path.as_ptr(),
            &raw const how,
            size_of::<libc::open_how>(),
        )
    })
}

pub(super) fn pivot_here() -> Result<(), Errno> {
    let here = c".".as_ptr();
    // SAFETY: both paths are NUL-terminated literals.
    check_long(unsafe { libc::syscall(libc::SYS_pivot_root, here, here) })?;
    // The old root lies on top of the new one now, and on top of that whatever lay on it: each time it is the uppermost that
    // goes. What is on top of a root is found by `..` there, and not by `/`.
    for _ in 0..STACKED {
        // SAFETY: the path is a NUL-terminated literal.
        check(unsafe { libc::umount2(here, libc::MNT_DETACH) })?;
        if of(libc::AT_FDCWD, c"/..")? == of(libc::AT_FDCWD, c"/")? {
            return Ok(());
        }
    }
    Err(Errno(libc::ELOOP))
}

/// How many mounts may lie on top of a root.
const STACKED: usize = 64;

pub(super) fn make_directory(at: RawFd, name: &CStr, mode: u32) -> Result<(), Errno> {
    // SAFETY: the name is NUL-terminated.
    check(unsafe { libc::mkdirat(at, name.as_ptr(), mode) }).map(drop)
}

pub(super) fn make_file(at: RawFd, name: &CStr) -> Result<(), Errno> {
    // SAFETY: the name is NUL-terminated.
    check(unsafe { libc::mknodat(at, name.as_ptr(), libc::S_IFREG | 0o444, 0) }).map(drop)
}

pub(super) fn make_device(at: RawFd, name: &CStr, number: (u32, u32)) -> Result<(), Errno> {
    let number = libc::makedev(number.0, number.1);
    // SAFETY: the name is NUL-terminated.
    check(unsafe { libc::mknodat(at, name.as_ptr(), libc::S_IFCHR | 0o666, number) }).map(drop)
}

pub(super) fn make_link(at: RawFd, name: &CStr, target: &CStr) -> Result<(), Errno> {
    // SAFETY: both are NUL-terminated.
    check(unsafe { libc::symlinkat(target.as_ptr(), at, name.as_ptr()) }).map(drop)
}

pub(super) fn of(at: RawFd, path: &CStr) -> Result<u64, Errno> {
    // SAFETY: all-zero bytes are a valid `statx`, which is plain integers.
    let mut found: libc::statx = unsafe { std::mem::zeroed() };
    let (path, flags, fields) = (path.as_ptr(), 0 as c_int, libc::STATX_MNT_ID);
    // SAFETY: the path is NUL-terminated, and the structure is writable for the call.
    check_long(unsafe { libc::syscall(libc::SYS_statx, at, path, flags, fields, &raw mut found) })?;
    // A kernel that does not know it leaves it out.
    let told = found.stx_mask & libc::STATX_MNT_ID != 0;
    if told { Ok(found.stx_mnt_id) } else { Err(crate::errno::NOT_HERE) }
}

pub(super) fn what_is(fd: RawFd) -> Result<Is, Errno> {
    // SAFETY: all-zero bytes are a valid `stat`, which is plain integers.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `stat` is writable for the call.
    check(unsafe { libc::fstat(fd, &mut stat) })?;
    Ok(Is {
        on: stat.st_dev,
        inode: stat.st_ino,
        kind: stat.st_mode & libc::S_IFMT,
        number: (libc::major(stat.st_rdev), libc::minor(stat.st_rdev)),
    })
}
