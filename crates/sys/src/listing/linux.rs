//! getdents64(2) itself: the kernel moves the descriptor on under a lock, so that threads share it as it is.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::{Chunk, Kind};

#[derive(Debug)]
pub(super) struct Listing(OwnedFd);

impl Listing {
    pub(super) fn new(dir: OwnedFd) -> nix::Result<Self> {
        Ok(Self(dir))
    }

    pub(super) fn read(&self, chunk: &mut Chunk) -> nix::Result<bool> {
        let (fd, to, room) = (self.0.as_raw_fd(), chunk.bytes.as_mut_ptr(), chunk.bytes.len());
        chunk.filled = 0;
        // SAFETY: the buffer is writable for the size that is given; the kernel writes no more.
        let got = unsafe { libc::syscall(libc::SYS_getdents64, fd, to, room) };
        // A directory that has been removed meanwhile has nothing in it.
        match Errno::result(got) {
            Ok(got) => chunk.filled = got as usize,
            Err(Errno::ENOENT) => {}
            Err(e) => return Err(e),
        }
        Ok(chunk.filled > 0)
    }
}

impl AsFd for Listing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Where things stand in `struct linux_dirent64`.
const LENGTH: usize = 16;
const TYPE: usize = 18;
const NAME: usize = 19;

pub(super) struct Entries<'a>(&'a [u8]);

impl<'a> Entries<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a CStr, Kind);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16::from_ne_bytes(*self.0.get(LENGTH..)?.first_chunk()?));
        let (record, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let name = CStr::from_bytes_until_nul(record.get(NAME..)?).ok()?;
        Some((name, Kind::of_dirent(record[TYPE])))
    }
}
