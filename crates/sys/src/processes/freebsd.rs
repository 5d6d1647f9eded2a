//! FreeBSD: `kern.proc.proc`. Inside a jail it lists the jail's processes only.

use std::ffi::CStr;
use std::io;

use super::{Pid, Process, Uid};

pub(super) fn under(uid: Uid) -> io::Result<Vec<Process>> {
    let owned = |p: &libc::kinfo_proc| [p.ki_ruid, p.ki_uid, p.ki_svuid].contains(&uid.get());
    // One that has ended waits for its parent only.
    let runs = |p: &&libc::kinfo_proc| p.ki_stat != libc::SZOMB as _;
    Ok(all()?.iter().filter(runs).filter(|p| owned(p)).map(describe).collect())
}

/// The pids of all that can be seen.
#[cfg(feature = "attempts")]
pub(super) fn pids() -> io::Result<Vec<i32>> {
    Ok(all()?.iter().map(|process| process.ki_pid).collect())
}

fn describe(process: &libc::kinfo_proc) -> Process {
    // SAFETY: any byte may be read as a byte.
    let name = unsafe { &*(&raw const process.ki_comm as *const [u8; 20]) };
    let name = CStr::from_bytes_until_nul(name).unwrap_or_default();
    Process { pid: Pid::new(process.ki_pid), name: name.to_string_lossy().into_owned() }
}

fn all() -> io::Result<Vec<libc::kinfo_proc>> {
    let name = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PROC];
    loop {
        let mut size = 0;
        // SAFETY: the name has three elements; only the size is asked for.
        let asked = unsafe {
            libc::sysctl(name.as_ptr(), 3, std::ptr::null_mut(), &mut size, std::ptr::null(), 0)
        };
        if asked == -1 {
            return Err(io::Error::last_os_error());
        }
        // Room for those that start meanwhile.
        let room = size / size_of::<libc::kinfo_proc>() + 64;
        let mut list: Vec<libc::kinfo_proc> = Vec::with_capacity(room);
        size = room * size_of::<libc::kinfo_proc>();
        let to = list.as_mut_ptr().cast();
        // SAFETY: the buffer is writable for the size that is given.
        if unsafe { libc::sysctl(name.as_ptr(), 3, to, &mut size, std::ptr::null(), 0) } == 0 {
            // SAFETY: the kernel has written `size` bytes of whole structures.
            unsafe { list.set_len(size / size_of::<libc::kinfo_proc>()) };
            return Ok(list);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ENOMEM) {
            return Err(error);
        }
    }
}

/// Where things stand in `struct kinfo_file`, which is the same since FreeBSD 12: sys/user.h.
const SIZE: usize = 0;
const DESCRIPTOR: usize = 8;
const FILE_SYSTEM: usize = 288;
const FILE: usize = 304;
/// The number that stands for the root directory, in place of a descriptor's.
const ROOT: i32 = -2;

/// getpriority(2) asks for the effective uid here.
pub(super) fn is_no_real_uid(_uid: Uid) -> bool {
    false
}

pub(super) fn root_identity(pid: Pid) -> io::Result<(u64, u64)> {
    const KERN_PROC_FILEDESC: libc::c_int = 33;
    let name = [libc::CTL_KERN, libc::KERN_PROC, KERN_PROC_FILEDESC, pid.get()];
    let mut size = 0;
    // SAFETY: the name has four elements; only the size is asked for.
    let asked = unsafe {
        libc::sysctl(name.as_ptr(), 4, std::ptr::null_mut(), &mut size, std::ptr::null(), 0)
    };
    if asked == -1 {
        return Err(io::Error::last_os_error());
    }
    // Room for what it opens meanwhile.
    let mut list = vec![0_u8; size * 2];
    size = list.len();
    let to = list.as_mut_ptr().cast();
    // SAFETY: the buffer is writable for the size that is given.
    if unsafe { libc::sysctl(name.as_ptr(), 4, to, &mut size, std::ptr::null(), 0) } == -1 {
        return Err(io::Error::last_os_error());
    }
    root_in(&list[..size]).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
}

/// The root directory in a list of records of different sizes.
fn root_in(mut list: &[u8]) -> Option<(u64, u64)> {
    let int =
        |record: &[u8], at: usize| Some(i32::from_ne_bytes(*record.get(at..)?.first_chunk()?));
    let long =
        |record: &[u8], at: usize| Some(u64::from_ne_bytes(*record.get(at..)?.first_chunk()?));
    loop {
        let size = usize::try_from(int(list, SIZE)?).ok().filter(|&size| size > 0)?;
        if int(list, DESCRIPTOR)? == ROOT {
            return Some((long(list, FILE_SYSTEM)?, long(list, FILE)?));
        }
        list = list.get(size..)?;
    }
}
