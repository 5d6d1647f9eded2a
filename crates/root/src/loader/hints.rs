//! FreeBSD's `ld-elf.so.hints`: a header of 128 bytes, and strings, one of which is the list of directories.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Library;

const MAGIC: u32 = 0x746e_6845;
const HEADER: usize = 128;

/// Each loader has its own.
pub(super) fn path(interpreter: &Path) -> PathBuf {
    PathBuf::from(if super::freebsd::is_32(interpreter) {
        "/var/run/ld-elf32.so.hints"
    } else {
        "/var/run/ld-elf.so.hints"
    })
}

/// The directories, in order. `None` if the file makes no sense: the loader then ignores it, too.
///
/// # References
/// rtld(1), ldconfig(8)
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<PathBuf>> {
    let raw = |at: usize| -> Option<[u8; 4]> { bytes.get(at..at + 4)?.try_into().ok() };
    // Written in the byte order of the host, which the magic number tells.
    let little = u32::from_le_bytes(raw(0)?) == MAGIC;
    let word = |at: usize| {
        raw(at).map(|b| if little { u32::from_le_bytes(b) } else { u32::from_be_bytes(b) })
    };
    if word(0)? != MAGIC || word(4)? != 1 {
        return None;
    }
    let [strings, strings_len, list, list_len] =
        [word(8)?, word(12)?, word(16)?, word(20)?].map(|n| n as usize);
    if list.checked_add(list_len)? > strings_len {
        return None;
    }
    let start = strings.checked_add(list)?;
    let text = bytes.get(start..start.checked_add(list_len)?)?;
    let dirs = text.split(|&b| b == b':').filter(|dir| dir.starts_with(b"/"));
    Some(dirs.map(|dir| PathBuf::from(OsStr::from_bytes(dir))).collect())
}

pub(super) fn write(dirs: &[PathBuf], libraries: &[Library], little_endian: bool) -> Vec<u8> {
    let mut all: Vec<&Path> = dirs.iter().map(PathBuf::as_path).collect();
    for dir in libraries.iter().filter_map(|library| library.path.parent()) {
        if !all.contains(&dir) {
            all.push(dir);
        }
    }
    let list = all.iter().map(|dir| dir.as_os_str().as_bytes()).collect::<Vec<_>>().join(&b':');
    let len = u32::try_from(list.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    for word in [MAGIC, 1, HEADER as u32, len.saturating_add(1), 0, len] {
        bytes.extend(if little_endian { word.to_le_bytes() } else { word.to_be_bytes() });
    }
    bytes.resize(HEADER, 0);
    bytes.extend(list);
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::{Class, Machine};

    #[test]
    fn what_is_written_is_read_back() {
        for little_endian in [true, false] {
            let machine = Machine { number: 62, class: Class::Elf64, little_endian };
            let dirs = ["/lib".into(), "/usr/local/lib".into()];
            let library = Library { name: "x".into(), path: "/opt/x".into(), machine };
            let bytes = write(&dirs, &[library], little_endian);
            assert_eq!(
                parse(&bytes).unwrap(),
                ["/lib", "/usr/local/lib", "/opt"].map(PathBuf::from)
            );
            for len in 0..bytes.len() - 1 {
                assert_eq!(parse(&bytes[..len]), None);
            }
        }
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let good = write(&["/lib".into()], &[], true);
        for field in [8, 16, 20] {
            let mut bad = good.clone();
            bad[field..field + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            assert_eq!(parse(&bad), None);
        }
        assert_eq!(parse(b"not hints"), None);
    }
}
