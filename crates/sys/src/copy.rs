//! Copies of what is in a file: sharing its blocks where the file system can, and its holes left holes.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "copy/linux.rs"]
        mod os;
    } else if #[cfg(target_os = "freebsd")] {
        #[path = "copy/freebsd.rs"]
        mod os;
    } else {
        #[path = "copy/other.rs"]
        mod os;
    }
}

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// How a copy was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// Both files share their blocks until one is written to.
    Shared,
    /// This many bytes were copied; the rest are holes.
    Bytes(u64),
}

/// Copies everything in `from` to the empty file `to`, which is as long as `from` was then, and says how.
///
/// # Errors
/// As ioctl(FICLONE), copy_file_range(2) and read(2), where no other way is left.
///
/// # References
/// ioctl_ficlone(2), copy_file_range(2), lseek(2)
///
/// ```
/// let dir = tempfile::tempdir()?;
/// std::fs::write(dir.path().join("a"), "text")?;
/// let to = std::fs::File::create_new(dir.path().join("b"))?;
/// isol_sys::copy::contents(&std::fs::File::open(dir.path().join("a"))?, &to)?;
/// assert_eq!(std::fs::read(dir.path().join("b"))?, b"text");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn contents(from: &File, to: &File) -> io::Result<Copied> {
    if os::share(from, to).is_ok() {
        return Ok(Copied::Shared);
    }
    let size = from.metadata()?.len();
    let (mut done, mut at) = (0, 0);
    while let Some(Range { start, end }) = os::data_from(from, at, size)? {
        (&mut &*from).seek(SeekFrom::Start(start))?;
        (&mut &*to).seek(SeekFrom::Start(start))?;
        // On Linux this is copy_file_range(2) where that works.
        let copied = io::copy(&mut from.take(end - start), &mut &*to)?;
        done += copied;
        if copied < end - start {
            break;
        }
        at = end;
    }
    to.set_len(size)?;
    Ok(Copied::Bytes(done))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileExt, MetadataExt};

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn holes_stay_holes() {
        let dir = tempfile::tempdir().unwrap();
        let from = File::create_new(dir.path().join("from")).unwrap();
        from.write_all_at(b"begin", 0).unwrap();
        from.write_all_at(b"end", 64 << 20).unwrap();
        from.set_len((128 << 20) + 1).unwrap();
        let from = File::open(dir.path().join("from")).unwrap();
        let to = File::create_new(dir.path().join("to")).unwrap();
        contents(&from, &to).unwrap();
        let meta = to.metadata().unwrap();
        assert_eq!(meta.len(), (128 << 20) + 1);
        assert!(meta.blocks() * 512 < 1 << 20, "{} blocks", meta.blocks());
        let to = File::open(dir.path().join("to")).unwrap();
        let mut bytes = [0; 5];
        to.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"begin");
        to.read_exact_at(&mut bytes[..4], 64 << 20).unwrap();
        assert_eq!(&bytes[..4], b"end\0");
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn an_empty_file_is_copied_too() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "").unwrap();
        let to = File::create_new(dir.path().join("b")).unwrap();
        contents(&File::open(dir.path().join("a")).unwrap(), &to).unwrap();
        assert_eq!(to.metadata().unwrap().len(), 0);
    }
}
