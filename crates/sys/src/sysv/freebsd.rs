//! FreeBSD: the tables that ipcs(1) reads, by sysctl(3).

use std::ffi::CStr;
use std::io;
use std::ptr;

use super::table::{Taken, ids};
use super::{Kind, Object, Uid};

/// `SHMSEG_ALLOCATED` in sys/shm.h.
const SEGMENT: u16 = 0o4000;
/// `SEM_ALLOC` in sys/sem.h.
const SEMAPHORES: u16 = 0o1000;

const TABLES: [(&CStr, &CStr, Kind, Taken); 3] = [
    (c"kern.ipc.shmsegs", c"kern.ipc.shmmni", Kind::Memory, Taken::Bit(SEGMENT)),
    (c"kern.ipc.sema", c"kern.ipc.semmni", Kind::Semaphores, Taken::Bit(SEMAPHORES)),
    (c"kern.ipc.msqids", c"kern.ipc.msgmni", Kind::Messages, Taken::Room),
];

pub(super) fn of_user(uid: Uid) -> io::Result<Vec<Object>> {
    let mut found = Vec::new();
    for (table, count, kind, taken) in TABLES {
        let bytes = match read(table) {
            Ok(bytes) => bytes,
            // The kernel has no such objects.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        let places = read(count)?.first_chunk().map(|&n| i32::from_ne_bytes(n)).unwrap_or(0);
        let places = usize::try_from(places).map_err(|_| io::ErrorKind::InvalidData)?;
        let ids = ids(&bytes, places, taken, uid).ok_or(io::ErrorKind::InvalidData)?;
        found.extend(ids.into_iter().map(|id| Object { kind, id }));
    }
    Ok(found)
}

fn read(name: &CStr) -> io::Result<Vec<u8>> {
    let mut size = 0;
    // SAFETY: the name ends in NUL; only the size is asked for.
    let asked =
        unsafe { libc::sysctlbyname(name.as_ptr(), ptr::null_mut(), &mut size, ptr::null(), 0) };
    if asked == -1 {
        return Err(io::Error::last_os_error());
    }
    let mut bytes = vec![0_u8; size];
    let to = bytes.as_mut_ptr().cast();
    // SAFETY: the buffer is writable for the size that is given.
    let got = unsafe { libc::sysctlbyname(name.as_ptr(), to, &mut size, ptr::null(), 0) };
    if got == -1 {
        return Err(io::Error::last_os_error());
    }
    bytes.truncate(size);
    Ok(bytes)
}
