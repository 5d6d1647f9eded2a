//! readdir(3), with a lock around it. The pieces are records of this file's own: the type, then the name with its NUL.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use nix::dir::{Dir, OwningIter, Type};
use nix::errno::Errno;

use super::{Chunk, Kind};

/// The longest record.
const RECORD: usize = 1 + 256;

#[derive(Debug)]
pub(super) struct Listing {
    dir: OwnedFd,
    stream: Mutex<OwningIter>,
}

impl Listing {
    pub(super) fn new(dir: OwnedFd) -> nix::Result<Self> {
        // The stream owns the one, and names are looked up through the other.
        let copy =
            dir.try_clone().map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)))?;
        Ok(Self { dir, stream: Mutex::new(Dir::from_fd(copy)?.into_iter()) })
    }

    pub(super) fn read(&self, chunk: &mut Chunk) -> nix::Result<bool> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        chunk.filled = 0;
        while chunk.filled + RECORD <= chunk.bytes.len() {
            let Some(entry) = stream.next() else { break };
            let entry = entry?;
            let (name, kind) = (entry.file_name().to_bytes_with_nul(), entry.file_type());
            let record = &mut chunk.bytes[chunk.filled..];
            record[0] = match kind {
                Some(Type::Directory) => libc::DT_DIR,
                Some(Type::File) => libc::DT_REG,
                Some(Type::Symlink) => libc::DT_LNK,
                Some(Type::Fifo) => libc::DT_FIFO,
                Some(Type::Socket) => libc::DT_SOCK,
                Some(Type::CharacterDevice | Type::BlockDevice) => libc::DT_CHR,
                None => libc::DT_UNKNOWN,
            };
            // Longer than any system has.
            let Some(to) = record.get_mut(1..=name.len()) else { return Err(Errno::ENAMETOOLONG) };
            to.copy_from_slice(name);
            chunk.filled += 1 + name.len();
        }
        Ok(chunk.filled > 0)
    }
}

impl AsFd for Listing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

pub(super) struct Entries<'a>(&'a [u8]);

impl<'a> Entries<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a CStr, Kind);

    fn next(&mut self) -> Option<Self::Item> {
        let (&kind, rest) = self.0.split_first()?;
        let name = CStr::from_bytes_until_nul(rest).ok()?;
        self.0 = &rest[name.count_bytes() + 1..];
        Some((name, Kind::of_dirent(kind)))
    }
}
