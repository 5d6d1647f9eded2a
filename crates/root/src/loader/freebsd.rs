//! FreeBSD's loader: what it was built with.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The directories that the loader was built with: they stand in its image as one text, with colons between them.
///
/// Up to 14 these are `/lib/casper`, `/lib` and `/usr/lib`, from 15 on the last two, and other ones for 32-bit programs.
pub(super) fn builtin_dirs(image: &[u8], interpreter: &Path) -> Vec<PathBuf> {
    let is_list = |text: &&[u8]| {
        let last = text.rsplit(|&b| b == b':').next().unwrap_or_default();
        let dirs = || text.split(|&b| b == b':');
        (last == b"/usr/lib" || last == b"/usr/lib32")
            && dirs().count() > 1
            && dirs().all(|dir| dir.starts_with(b"/"))
    };
    let list = image.split(|&b| b == 0).find(is_list).unwrap_or(match is_32(interpreter) {
        true => b"/lib32:/usr/lib32",
        false => b"/lib:/usr/lib",
    });
    list.split(|&b| b == b':').map(|dir| PathBuf::from(OsStr::from_bytes(dir))).collect()
}

/// Where it is told to take other libraries than those that are asked for.
pub(super) fn map_path(interpreter: &Path) -> PathBuf {
    PathBuf::from(if is_32(interpreter) { "/etc/libmap32.conf" } else { "/etc/libmap.conf" })
}

pub(super) fn is_32(interpreter: &Path) -> bool {
    interpreter.file_name().is_some_and(|name| name.as_bytes().starts_with(b"ld-elf32"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(image: &[u8], interpreter: &str) -> Vec<String> {
        let dirs = builtin_dirs(image, interpreter.as_ref());
        dirs.iter().map(|dir| dir.display().to_string()).collect()
    }

    #[test]
    fn they_are_what_the_image_says() {
        let old = b"\x7fELF\0/usr/lib\0x\0/lib/casper:/lib:/usr/lib\0/etc/libmap.conf\0";
        assert_eq!(dirs(old, "/libexec/ld-elf.so.1"), ["/lib/casper", "/lib", "/usr/lib"]);
        let new = b"\0/lib:/usr/lib\0%s:/usr/lib\0";
        assert_eq!(dirs(new, "/libexec/ld-elf.so.1"), ["/lib", "/usr/lib"]);
    }

    #[test]
    fn an_image_that_says_nothing_has_the_usual_ones() {
        assert_eq!(dirs(b"", "/libexec/ld-elf.so.1"), ["/lib", "/usr/lib"]);
        assert_eq!(dirs(b"", "/libexec/ld-elf32.so.1"), ["/lib32", "/usr/lib32"]);
    }
}
