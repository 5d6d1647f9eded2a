//! macOS: every pid, and what the kernel tells of each.

use std::ffi::CStr;
use std::io;

use super::{Pid, Process, Uid};

pub(super) fn under(uid: Uid) -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for pid in all()? {
        // SAFETY: all-zero bytes are a valid `proc_bsdinfo`, which is plain integers.
        let mut info: libc::proc_bsdinfo = unsafe { std::mem::zeroed() };
        let size = size_of::<libc::proc_bsdinfo>() as libc::c_int;
        let to = (&raw mut info).cast();
        // SAFETY: the structure is writable for the size that is given.
        let got = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, to, size) };
        if got != size {
            let error = io::Error::last_os_error();
            // A process that is gone by now runs under no uid. Of one that is not told of
            // (EPERM, for a caller that is not root), nobody knows under which.
            match error.raw_os_error() {
                Some(libc::ESRCH) => continue,
                _ => return Err(error),
            }
        }
        if [info.pbi_ruid, info.pbi_uid, info.pbi_svuid].contains(&uid.get()) {
            // SAFETY: any byte may be read as a byte.
            let name = unsafe { &*(&raw const info.pbi_comm as *const [u8; 16]) };
            let name = CStr::from_bytes_until_nul(name).unwrap_or_default();
            found.push(Process { pid: Pid::new(pid), name: name.to_string_lossy().into_owned() });
        }
    }
    Ok(found)
}

fn all() -> io::Result<Vec<libc::pid_t>> {
    let mut room = 4096;
    loop {
        let mut pids = vec![0; room];
        let size = (room * size_of::<libc::pid_t>()) as libc::c_int;
        // SAFETY: the buffer is writable for the size that is given.
        let got = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), size) };
        if got <= 0 {
            return Err(io::Error::last_os_error());
        }
        if (got as usize) < room {
            pids.truncate(got as usize);
            return Ok(pids);
        }
        room *= 2;
    }
}

/// getpriority(2) asks for the effective uid here.
pub(super) fn is_no_real_uid(_uid: Uid) -> bool {
    false
}

pub(super) fn root_identity(_pid: Pid) -> io::Result<(u64, u64)> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}
