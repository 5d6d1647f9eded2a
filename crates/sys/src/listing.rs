//! What is in a directory, read in pieces of a fixed size by any number of threads at once.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "listing/linux.rs"]
        mod os;
    } else {
        #[path = "listing/readdir.rs"]
        mod os;
    }
}

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What a directory says that one of its names is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// This file system does not say.
    Unknown,
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character or block device.
    Device,
}

impl Kind {
    /// Of the file type in a mode, as stat(2) gives it.
    #[must_use]
    pub fn of_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o040_000 => Self::Directory,
            0o100_000 => Self::File,
            0o120_000 => Self::Symlink,
            0o010_000 => Self::Fifo,
            0o140_000 => Self::Socket,
            0o020_000 | 0o060_000 => Self::Device,
            _ => Self::Unknown,
        }
    }

    /// Of `d_type`, whose values are the file types of stat(2), shifted.
    fn of_dirent(kind: u8) -> Self {
        Self::of_mode(u32::from(kind) << 12)
    }
}

/// An open directory that is being listed.
#[derive(Debug)]
pub struct Listing(os::Listing);

impl Listing {
    /// Of a directory that has just been opened for reading: where its descriptor stands counts.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(dir: OwnedFd) -> nix::Result<Self> {
        os::Listing::new(dir).map(Self)
    }

    /// Reads the next piece into `chunk`, which says how large it is; false when there is none. Threads that read at once
    /// get different pieces.
    ///
    /// # Errors
    /// What getdents(2) or readdir(3) gives.
    ///
    /// # References
    /// getdents64(2), readdir(3)
    ///
    /// ```
    /// use isol_sys::listing::{Chunk, Listing};
    /// let listing = Listing::new(std::fs::File::open("/")?.into())?;
    /// let mut chunk = Chunk::new(1024);
    /// let mut names = Vec::new();
    /// while listing.read(&mut chunk)? {
    ///     names.extend(chunk.entries().map(|(name, _)| name.to_owned()));
    /// }
    /// assert!(names.contains(&c"etc".to_owned()) && !names.contains(&c"..".to_owned()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read(&self, chunk: &mut Chunk) -> nix::Result<bool> {
        self.0.read(chunk)
    }
}

impl AsFd for Listing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A piece of a directory.
#[derive(Debug)]
pub struct Chunk {
    bytes: Vec<u8>,
    filled: usize,
}

impl Chunk {
    /// Room for pieces of this many bytes, and at least for the longest name.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self { bytes: vec![0; bytes.max(1024)], filled: 0 }
    }

    /// Whether another long name would not have had room in it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes.len() - self.filled < 300
    }

    /// The names in it but `.` and `..`, and what the directory says that they are.
    pub fn entries(&self) -> impl Iterator<Item = (&CStr, Kind)> {
        os::Entries::of(&self.bytes[..self.filled])
            .filter(|(name, _)| !matches!(name.to_bytes(), b"." | b".."))
    }
}
