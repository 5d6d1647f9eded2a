//! FreeBSD's jails.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use isol_core::{Errno, Text};
use libc::{c_int, c_void};

use super::{Found, Request};
use crate::descriptors;
use crate::errno::check;

#[path = "parameter.rs"]
mod parameter;

pub use parameter::kind_of;

/// Makes a jail, of which nothing stays when its last process has gone, and enters it. Async-signal-safe.
///
/// # Errors
/// As jail_set(2); what the kernel says is in the request's message.
///
/// # References
/// jail_set(2)
pub fn create_and_attach(request: &Request) -> Result<i32, Errno> {
    set(request, libc::JAIL_CREATE | libc::JAIL_ATTACH)
}

/// Changes a jail that the request names by its number.
///
/// # Errors
/// As jail_set(2).
pub fn update(request: &Request) -> Result<(), Errno> {
    set(request, libc::JAIL_UPDATE).map(drop)
}

fn set(request: &Request, flags: c_int) -> Result<i32, Errno> {
    let (array, count) = request.array();
    // SAFETY: the array is of pairs that live as long as the request; the kernel writes to its last element
    // only, which has the room that it says and may be written through a shared reference.
    check(unsafe { libc::jail_set(array, count, flags) })
}

fn text(text: &CStr) -> libc::iovec {
    libc::iovec { iov_base: text.as_ptr().cast_mut().cast(), iov_len: text.count_bytes() + 1 }
}

fn int(value: &mut c_int) -> libc::iovec {
    libc::iovec { iov_base: (&raw mut *value).cast(), iov_len: size_of::<c_int>() }
}

/// A jail by its name, one that is dying where no living one has the name.
///
/// # Errors
/// As jail_get(2): `ENOENT` if there is none.
///
/// # References
/// jail_get(2)
pub fn find(name: &CStr) -> Result<Found, Errno> {
    let mut dying = 0;
    let mut pairs = [text(c"name"), text(name), text(c"dying"), int(&mut dying)];
    let count = pairs.len() as libc::c_uint;
    // SAFETY: names and texts are NUL-terminated, the number is of an int, and all are alive during the call.
    let number = check(unsafe { libc::jail_get(pairs.as_mut_ptr(), count, libc::JAIL_DYING) })?;
    Ok(Found { number, dying: dying != 0 })
}

/// The numbers of all jails, those that are dying included.
///
/// # Errors
/// As jail_get(2).
pub fn list() -> Result<Vec<i32>, Errno> {
    let (mut found, mut last) = (Vec::new(), 0);
    loop {
        let mut pairs = [text(c"lastjid"), int(&mut last)];
        // SAFETY: the name is NUL-terminated, the value is of an int, and both are alive during the call.
        let next = unsafe { libc::jail_get(pairs.as_mut_ptr(), 2, libc::JAIL_DYING) };
        match check(next) {
            Ok(jail) => {
                found.push(jail);
                last = jail;
            }
            Err(Errno(libc::ENOENT)) => return Ok(found),
            Err(errno) => return Err(errno),
        }
    }
}

/// The jails whose root directory has a path, those that are dying left out.
///
/// # Errors
/// As jail_get(2).
pub fn rooted_at(path: &Path) -> Result<Vec<i32>, Errno> {
    let mut found = Vec::new();
    for jail in list()? {
        match root_of(jail) {
            Ok(root) if root == path.as_os_str().as_bytes() => found.push(jail),
            // It has gone meanwhile, or is dying.
            Ok(_) | Err(Errno(libc::ENOENT)) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(found)
}

fn root_of(jail: i32) -> Result<Vec<u8>, Errno> {
    let (mut jail, mut path) = (jail, vec![0_u8; libc::PATH_MAX as usize]);
    let to = libc::iovec { iov_base: path.as_mut_ptr().cast(), iov_len: path.len() };
    let mut pairs = [text(c"jid"), int(&mut jail), text(c"path"), to];
    // SAFETY: both names are NUL-terminated, the number is of an int, the text has the room that is said, and all are alive
    // during the call.
    check(unsafe { libc::jail_get(pairs.as_mut_ptr(), pairs.len() as u32, 0) })?;
    path.truncate(path.iter().position(|&b| b == 0).unwrap_or(path.len()));
    Ok(path)
}

/// Kills all that is in a jail, and lets it go.
///
/// # Errors
/// As jail_remove(2).
///
/// # References
/// jail_remove(2)
pub fn remove(jail: i32) -> Result<(), Errno> {
    // SAFETY: takes a number.
    check(unsafe { libc::jail_remove(jail) }).map(drop)
}

/// A number that is a parameter of a jail; 0 and 1 for off and on.
///
/// # Errors
/// As jail_get(2).
pub fn read_back(jail: i32, parameter: &CString) -> Result<i32, Errno> {
    let (mut jail, mut value) = (jail, 0);
    let mut pairs = [text(c"jid"), int(&mut jail), text(parameter), int(&mut value)];
    // SAFETY: both names are NUL-terminated, both values are of an int, and all are alive during the call.
    check(unsafe { libc::jail_get(pairs.as_mut_ptr(), pairs.len() as u32, 0) })?;
    Ok(value)
}

/// Whether a parameter of a jail that is a list, such as its addresses, has these members of `width` bytes each, in any
/// order.
///
/// # Errors
/// As jail_get(2), but for `EINVAL`, which means that it has fewer or more: false.
pub fn has_members(jail: i32, list: &CStr, members: &[u8], width: usize) -> Result<bool, Errno> {
    let mut jail = jail;
    // The kernel wants the very length, and so tells another one.
    let mut found = vec![0_u8; members.len()];
    let to = libc::iovec { iov_base: found.as_mut_ptr().cast(), iov_len: found.len() };
    let mut pairs = [text(c"jid"), int(&mut jail), text(list), to];
    // SAFETY: both names are NUL-terminated, the number is of an int, the list has the room that is said, and all are
    // alive during the call.
    match check(unsafe { libc::jail_get(pairs.as_mut_ptr(), pairs.len() as u32, 0) }) {
        Ok(_) => {}
        Err(Errno(libc::EINVAL)) => return Ok(false),
        Err(errno) => return Err(errno),
    }
    let sorted = |bytes: &[u8]| {
        let mut all: Vec<_> = bytes.chunks(width).map(<[u8]>::to_vec).collect();
        all.sort();
        all
    };
    Ok(sorted(&found) == sorted(members))
}

/// A sysctl that is an int. Async-signal-safe: the kernel resolves the name.
///
/// # References
/// sysctlbyname(3)
#[must_use]
pub fn control(name: &CStr) -> Option<c_int> {
    let (mut value, mut size): (c_int, usize) = (0, size_of::<c_int>());
    let to = (&raw mut value).cast::<c_void>();
    // SAFETY: the name is NUL-terminated; the value has the room that is said.
    let got = unsafe { libc::sysctlbyname(name.as_ptr(), to, &mut size, std::ptr::null(), 0) };
    (got == 0 && size == size_of::<c_int>()).then_some(value)
}

/// The first descriptor that is of a directory, and its path as far as the kernel knows it. Async-signal-safe.
///
/// # References
/// fcntl(2): `F_KINFO`
#[must_use]
pub fn open_directory() -> Option<(i32, Text)> {
    // SAFETY: no arguments, cannot fail.
    let end = unsafe { libc::getdtablesize() };
    let descriptor = (0..end).find(|&fd| descriptors::is_directory(fd) == Ok(true))?;
    // SAFETY: all-zero bytes are a valid `kinfo_file`, which is plain integers.
    let mut info: libc::kinfo_file = unsafe { std::mem::zeroed() };
    info.kf_structsize = size_of::<libc::kinfo_file>() as c_int;
    // SAFETY: the structure is writable for the call, and says how long it is.
    let told = unsafe { libc::fcntl(descriptor, libc::F_KINFO, &raw mut info) };
    if told == -1 {
        return Some((descriptor, Text::EMPTY));
    }
    let path = info.kf_path.map(|c| c as u8);
    let path = CStr::from_bytes_until_nul(&path).ok().and_then(|path| path.to_str().ok());
    Some((descriptor, path.map_or(Text::EMPTY, Text::from)))
}

/// Whether this process is in a jail. Async-signal-safe: the name is resolved by the kernel.
///
/// # References
/// jail(8): `security.jail.jailed`
#[must_use]
pub fn is_inside() -> bool {
    control(c"security.jail.jailed") == Some(1)
}

/// Whether this process can use System V message queues, semaphores and shared memory, in this order. A jail that has none
/// of a kind can't give any to a jail of its own.
///
/// # References
/// msgctl(3), semctl(2), shmctl(2): `ENOSYS`
#[must_use]
pub fn has_system_v_ipc() -> [bool; 3] {
    let none = |ret: c_int| check(ret) == Err(crate::errno::NOT_HERE);
    // SAFETY: all-zero bytes are valid for it, which is plain data.
    let mut queue: libc::msqid_ds = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    let mut segment: libc::shmid_ds = unsafe { std::mem::zeroed() };
    [
        // SAFETY: no such queue; and the structure is writable for the call.
        !none(unsafe { libc::msgctl(-1, libc::IPC_STAT, &mut queue) }),
        // SAFETY: no such semaphore; the command takes no argument.
        !none(unsafe { libc::semctl(-1, 0, GETVAL) }),
        // SAFETY: no such segment; and the structure is writable for the call.
        !none(unsafe { libc::shmctl(-1, libc::IPC_STAT, &mut segment) }),
    ]
}

/// From the kernel's sys/sem.h.
const GETVAL: c_int = 5;

/// How many jails can still be made in the jail that this process is in; `None` outside of any, and where the kernel
/// does not tell how many, but lets one be made. Takes root.
///
/// # References
/// jail(8): `children.max`
#[must_use]
pub fn children_left() -> Option<i32> {
    if !is_inside() {
        return None;
    }
    match control(c"security.jail.children.max") {
        Some(max) => Some(max - control(c"security.jail.children.cur").unwrap_or(0)),
        // 13.2 has no such control.
        None => may_have_none().then_some(0),
    }
}

/// Whether the jail that this process is in may have no jail: of that a kernel speaks before it looks at the flags, and
/// here they make no sense.
fn may_have_none() -> bool {
    // SAFETY: no parameters, so that the array is not looked at.
    let made = unsafe { libc::jail_set(std::ptr::null_mut(), 0, libc::JAIL_CREATE | NO_FLAG) };
    check(made) == Err(crate::errno::NOT_PERMITTED)
}

/// No kernel has it: the highest one of 15.1 is 0x80.
const NO_FLAG: c_int = 1 << 30;
