//! System V IPC and POSIX shared memory, for everybody to use.

use std::ffi::CStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::FromRawFd;

use isol_core::Errno;

use crate::errno::{check, last};

cfg_if::cfg_if! {
    if #[cfg(target_os = "macos")] {
        #[path = "ipc/macos.rs"]
        mod calls;
    } else {
        #[path = "ipc/posix.rs"]
        mod calls;
    }
}

/// The size of a segment that [`shm_make`] makes.
const ROOM: usize = 128;
const EVERYBODY: i32 = 0o666;
const NEW: i32 = libc::IPC_CREAT | EVERYBODY;

fn attach(id: i32, flags: i32) -> Result<*mut libc::c_void, Errno> {
    // SAFETY: the kernel chooses where.
    let at = unsafe { libc::shmat(id, std::ptr::null(), flags) };
    if at.addr() == usize::MAX { Err(last()) } else { Ok(at) }
}

/// Makes a shared memory segment with a text in it, of at most 127 bytes.
///
/// # Errors
/// As shmget(2) and shmat(2).
pub fn shm_make(key: i32, text: &[u8]) -> Result<i32, Errno> {
    // SAFETY: takes numbers only.
    let id = check(unsafe { libc::shmget(key as libc::key_t, ROOM, NEW) })?;
    let at = attach(id, 0)?;
    let count = text.len().min(ROOM - 1);
    // SAFETY: the segment is writable and has room for `count` bytes; nobody else's memory is there.
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), at.cast(), count) };
    // SAFETY: attached above.
    unsafe { libc::shmdt(at) };
    Ok(id)
}

/// What stands in a segment.
///
/// # Errors
/// As shmget(2) and shmat(2).
pub fn shm_read(key: i32) -> Result<Vec<u8>, Errno> {
    // SAFETY: takes numbers only.
    let id = check(unsafe { libc::shmget(key as libc::key_t, ROOM, 0) })?;
    let at = attach(id, libc::SHM_RDONLY)?;
    let mut text = vec![0; ROOM];
    // SAFETY: the segment is readable for `ROOM` bytes, which shmget has checked.
    unsafe { std::ptr::copy_nonoverlapping(at.cast(), text.as_mut_ptr(), ROOM) };
    // SAFETY: attached above.
    unsafe { libc::shmdt(at) };
    Ok(text)
}

/// Removes a segment.
///
/// # Errors
/// As shmctl(2).
pub fn shm_remove(id: i32) -> Result<(), Errno> {
    // SAFETY: IPC_RMID looks at no buffer.
    check(unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) }).map(drop)
}

/// Makes a message queue.
///
/// # Errors
/// As msgget(2).
pub fn msg_make(key: i32) -> Result<i32, Errno> {
    // SAFETY: takes numbers only.
    check(unsafe { calls::msgget(key as libc::key_t, NEW) })
}

#[repr(C)]
struct Message {
    kind: libc::c_long,
    text: [u8; 1],
}

/// Sends a message of one byte to a queue.
///
/// # Errors
/// As msgget(2) and msgsnd(2).
pub fn msg_send(key: i32) -> Result<(), Errno> {
    // SAFETY: takes numbers only.
    let id = check(unsafe { calls::msgget(key as libc::key_t, 0) })?;
    let message = Message { kind: 1, text: *b"x" };
    // SAFETY: the message is readable, with one byte behind its kind.
    check(unsafe { calls::msgsnd(id, (&raw const message).cast(), 1, libc::IPC_NOWAIT) }).map(drop)
}

/// Removes a message queue.
///
/// # Errors
/// As msgctl(2).
pub fn msg_remove(id: i32) -> Result<(), Errno> {
    // SAFETY: IPC_RMID looks at no buffer.
    check(unsafe { calls::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()) }).map(drop)
}

/// Makes a semaphore.
///
/// # Errors
/// As semget(2).
pub fn sem_make(key: i32) -> Result<i32, Errno> {
    // SAFETY: takes numbers only.
    check(unsafe { libc::semget(key as libc::key_t, 1, NEW) })
}

/// Adds one to a semaphore.
///
/// # Errors
/// As semget(2) and semop(2).
pub fn sem_change(key: i32) -> Result<(), Errno> {
    // SAFETY: takes numbers only.
    let id = check(unsafe { libc::semget(key as libc::key_t, 1, 0) })?;
    let mut change = libc::sembuf { sem_num: 0, sem_op: 1, sem_flg: 0 };
    // SAFETY: one operation, readable for the call.
    check(unsafe { libc::semop(id, &mut change, 1) }).map(drop)
}

/// Removes a semaphore.
///
/// # Errors
/// As semctl(2).
pub fn sem_remove(id: i32) -> Result<(), Errno> {
    // SAFETY: IPC_RMID takes no further argument.
    check(unsafe { libc::semctl(id, 0, libc::IPC_RMID) }).map(drop)
}

fn posix(name: &CStr, flags: i32) -> Result<File, Errno> {
    let fd = check(calls::shm_open(name, flags, EVERYBODY as libc::mode_t))?;
    // SAFETY: just opened, and nobody else's.
    Ok(unsafe { File::from_raw_fd(fd) })
}

fn raw(error: &std::io::Error) -> Errno {
    Errno(error.raw_os_error().unwrap_or(libc::EIO))
}

/// Makes a shared memory object with a text in it.
///
/// # Errors
/// As shm_open(3).
pub fn posix_shm_make(name: &CStr, text: &[u8]) -> Result<(), Errno> {
    let mut file = posix(name, libc::O_RDWR | libc::O_CREAT)?;
    file.set_len(text.len() as u64).and_then(|()| file.write_all(text)).map_err(|e| raw(&e))
}

/// What stands in a shared memory object.
///
/// # Errors
/// As shm_open(3).
pub fn posix_shm_read(name: &CStr) -> Result<Vec<u8>, Errno> {
    let mut text = Vec::new();
    posix(name, libc::O_RDONLY)?.read_to_end(&mut text).map_err(|e| raw(&e))?;
    Ok(text)
}

/// Removes a shared memory object.
///
/// # Errors
/// As shm_unlink(3).
pub fn posix_shm_remove(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the name is NUL-terminated and outlives the call.
    check(unsafe { libc::shm_unlink(name.as_ptr()) }).map(drop)
}
