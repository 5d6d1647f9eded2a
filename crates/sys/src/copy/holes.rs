//! lseek(2) that finds data and holes.

use std::fs::File;
use std::io;
use std::ops::Range;

use nix::errno::Errno;
use nix::unistd::{Whence, lseek};

/// The first run of data at or behind `at`.
pub(in crate::copy) fn data_from(
    file: &File,
    at: u64,
    size: u64,
) -> io::Result<Option<Range<u64>>> {
    if at >= size {
        return Ok(None);
    }
    let offset = |n: u64| i64::try_from(n).map_err(|_| Errno::EOVERFLOW);
    let start = match lseek(file, offset(at)?, Whence::SeekData) {
        Ok(start) => start as u64,
        Err(Errno::ENXIO) => return Ok(None),
        // A file system that knows nothing of holes.
        Err(Errno::EINVAL | Errno::ENOTSUP) => return Ok(Some(at..size)),
        Err(e) => return Err(e.into()),
    };
    let end = lseek(file, offset(start)?, Whence::SeekHole)? as u64;
    Ok((start < size).then_some(start..end.min(size)))
}
