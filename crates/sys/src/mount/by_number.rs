//! Mounts one by one, by their numbers: less than half of what it costs the kernel to write down all that it knows of each,
//! as it does in mountinfo. Linux 6.8.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use isol_core::Errno;

use super::{Window, window_of};
use crate::errno::check_long;

const STATMOUNT: libc::c_long = 457;
const LISTMOUNT: libc::c_long = 458;

/// The mount at the root of the mount namespace, in place of a number.
const ROOT: u64 = u64::MAX;
/// More are left to mountinfo.
const MOST: usize = 512;
/// What of a mount is told.
const OF_THE_FILE_SYSTEM: u64 = 1;
const WHERE: u64 = 1 << 4;

#[repr(C)]
struct Request {
    size: u32,
    spare: u32,
    mount: u64,
    /// What is asked of it, or the last one that was listed.
    what: u64,
}

impl Request {
    fn new(mount: u64, what: u64) -> Self {
        Self { size: size_of::<Self>() as u32, spare: 0, mount, what }
    }
}

/// As far as it is used.
#[repr(C)]
struct Told {
    size: u32,
    options: u32,
    mask: u64,
    device: [u32; 2],
    magic: u64,
    before: [u64; 9],
    root: u32,
    /// Where it is mounted, from the beginning of the text.
    point: u32,
    behind: [u64; 50],
    text: [u8; libc::PATH_MAX as usize],
}

const _: () = assert!(std::mem::offset_of!(Told, magic) == 24);
const _: () = assert!(std::mem::offset_of!(Told, point) == 108);
const _: () = assert!(std::mem::offset_of!(Told, text) == 512);

/// Where the file systems are mounted that show more than files; `None` where the kernel does not say it so.
pub(super) fn windows() -> Option<Vec<(PathBuf, Window)>> {
    let mut numbers = [0_u64; MOST];
    let request = Request::new(ROOT, 0);
    // SAFETY: the request is readable, and as many numbers are writable as is said.
    let listed = check_long(unsafe {
        libc::syscall(LISTMOUNT, &raw const request, numbers.as_mut_ptr(), MOST, 0)
    });
    let numbers = numbers.get(..listed.ok()? as usize).filter(|listed| listed.len() < MOST)?;
    // SAFETY: all-zero bytes are a valid one.
    let mut told = Box::new(unsafe { std::mem::zeroed::<Told>() });
    let mut found = Vec::new();
    for &number in numbers {
        let magic = match tell(number, OF_THE_FILE_SYSTEM, &mut told) {
            Ok(told) => told.magic,
            // It has been unmounted meanwhile.
            Err(Errno(libc::ENOENT)) => continue,
            Err(_) => return None,
        };
        let Some(window) = window_of(magic) else { continue };
        match tell(number, WHERE, &mut told) {
            Ok(told) => {
                let text = told.text.get(told.point as usize..)?.split(|&byte| byte == 0).next()?;
                // What this process's root does not lead to has none; mountinfo leaves it out.
                if !text.is_empty() {
                    found.push((PathBuf::from(OsString::from_vec(text.to_vec())), window));
                }
            }
            Err(Errno(libc::ENOENT)) => {}
            Err(_) => return None,
        }
    }
    Some(found)
}

/// # Errors
/// As statmount(2); `EINVAL` if the kernel tells something else.
fn tell(mount: u64, what: u64, told: &mut Told) -> Result<&Told, Errno> {
    let request = Request::new(mount, what);
    // SAFETY: the request is readable, and the answer is writable for its size; any bytes are a valid one.
    check_long(unsafe {
        libc::syscall(STATMOUNT, &raw const request, &raw mut *told, size_of::<Told>(), 0)
    })?;
    if told.mask & what == what { Ok(told) } else { Err(Errno(libc::EINVAL)) }
}
