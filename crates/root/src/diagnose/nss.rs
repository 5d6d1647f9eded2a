//! The modules that the C library looks names up with.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::closure::{Closure, Resolver};
use crate::nsswitch;
use crate::walk::{Sysroot, WalkError};

/// What glibc does without a configuration.
const BUILT_IN_RULES: &str = "passwd: files\ngroup: files\nhosts: dns files\n";
/// Longer than any C library.
const MAX: u64 = 16 << 20;

/// The modules that are named in the root and are not in it: the name of each, and its file.
pub(super) fn missing(
    root: &Sysroot,
    closure: &Closure,
) -> Result<Vec<(String, String)>, WalkError> {
    let is_glibc = |path: &&PathBuf| path.file_name() == Some(OsStr::new("libc.so.6"));
    let Some(libc) = closure.loaded.iter().find(is_glibc) else { return Ok(Vec::new()) };
    let rules = match root.read_file(Path::new("/etc/nsswitch.conf"), MAX)? {
        Some(text) => String::from_utf8_lossy(&text).into_owned(),
        None => BUILT_IN_RULES.to_owned(),
    };
    let image = root.read_file(libc, MAX)?.unwrap_or_default();
    let built_in = |module: &str| has_files_and_dns(&image) && ["files", "dns"].contains(&module);
    let there = |file: &str| {
        let mut dirs = closure.consulted.iter();
        dirs.any(|dir| root.walk(&dir.join(file)).is_ok_and(|trail| trail.last().meta.is_file()))
    };
    let named = nsswitch::modules(&rules).into_iter().filter(|module| !built_in(module));
    let with_file = named.map(|module| {
        let file = nsswitch::file_name(&module);
        (module, file)
    });
    Ok(with_file.filter(|(_, file)| !there(file)).collect())
}

/// Where the host has a module.
pub(super) fn on_host(file: &str) -> Option<PathBuf> {
    let host = Sysroot::open(Path::new("/")).ok()?;
    let closure = Resolver::new(&host).closure(Path::new("/bin/sh"), &[]).ok()?;
    closure.consulted.iter().map(|dir| dir.join(file)).find(|path| host.walk(path).is_ok())
}

/// Since 2.34 these two are a part of the library, which says its version in a text.
fn has_files_and_dns(image: &[u8]) -> bool {
    const BEFORE: &[u8] = b"release version 2.";
    let Some(at) = image.windows(BEFORE.len()).position(|part| part == BEFORE) else {
        return false;
    };
    let digits = image[at + BEFORE.len()..].iter().take_while(|b| b.is_ascii_digit());
    let number = digits.take(4).fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    number >= 34
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_says_which_version_it_is() {
        assert!(has_files_and_dns(
            b"x GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n"
        ));
        assert!(!has_files_and_dns(b"stable release version 2.33."));
        assert!(!has_files_and_dns(b"stable release version 2.3"));
        assert!(!has_files_and_dns(b""));
    }
}
