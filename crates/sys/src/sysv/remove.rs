//! Removing an object, the same on Linux and FreeBSD.

use std::io;

use super::{Kind, Object};
use crate::errno::check;

pub(super) fn remove(object: Object) -> io::Result<()> {
    let id = object.id;
    let none: *mut libc::c_void = std::ptr::null_mut();
    let done = match object.kind {
        // SAFETY: IPC_RMID takes the number, and looks at no address.
        Kind::Memory => unsafe { libc::shmctl(id, libc::IPC_RMID, none.cast()) },
        // SAFETY: the same, and there is no fourth argument.
        Kind::Semaphores => unsafe { libc::semctl(id, 0, libc::IPC_RMID) },
        // SAFETY: as for shared memory.
        Kind::Messages => unsafe { libc::msgctl(id, libc::IPC_RMID, none.cast()) },
    };
    match check(done) {
        Err(errno) if ![libc::EINVAL, libc::EIDRM].contains(&errno.0) => Err(errno.into()),
        _ => Ok(()),
    }
}
