//! musl's loader, which is the C library itself.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Library;

pub(super) const BUILTIN_DIRS: &[&str] = &["/lib", "/usr/local/lib", "/usr/lib"];

/// `/lib/ld-musl-ARCH.so.1` reads `/etc/ld-musl-ARCH.path`, and one under a prefix the one under that prefix.
pub(super) fn config_path(interpreter: &Path) -> PathBuf {
    let name = interpreter.file_name().map(OsStr::as_bytes).unwrap_or_default();
    let arch = name.strip_prefix(b"ld-musl-").unwrap_or(name);
    let end = arch.windows(4).position(|part| part == b".so.").unwrap_or(arch.len());
    let prefix = interpreter.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let file = [b"ld-musl-", &arch[..end], b".path"].concat();
    prefix.join("etc").join(OsStr::from_bytes(&file))
}

/// Directories, one a line or with colons between them.
pub(super) fn parse_config(text: &[u8]) -> Vec<PathBuf> {
    let parts = text.split(|b| matches!(b, b':' | b'\n'));
    parts
        .filter(|part| part.starts_with(b"/"))
        .map(|part| PathBuf::from(OsStr::from_bytes(part)))
        .collect()
}

pub(super) fn write_config(dirs: &[PathBuf], libraries: &[Library]) -> Vec<u8> {
    let mut all: Vec<&Path> = dirs.iter().map(PathBuf::as_path).collect();
    for dir in libraries.iter().filter_map(|library| library.path.parent()) {
        if !all.contains(&dir) {
            all.push(dir);
        }
    }
    all.iter().flat_map(|dir| [dir.as_os_str().as_bytes(), b"\n"].concat()).collect()
}

/// The libraries that exist in name only: what they would hold is in the loader.
pub(super) fn is_reserved(name: &OsStr) -> bool {
    const RESERVED: [&[u8]; 7] = [b"c.", b"pthread.", b"rt.", b"m.", b"dl.", b"util.", b"xnet."];
    let Some(rest) = name.as_bytes().strip_prefix(b"lib") else { return false };
    RESERVED.iter().any(|reserved| rest.starts_with(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::{Class, Machine};

    #[test]
    fn the_configuration_is_found_and_read() {
        assert_eq!(
            config_path("/lib/ld-musl-x86_64.so.1".as_ref()),
            Path::new("/etc/ld-musl-x86_64.path")
        );
        assert_eq!(
            config_path("/opt/m/lib/ld-musl-armhf.so.1".as_ref()),
            Path::new("/opt/m/etc/ld-musl-armhf.path")
        );
        assert_eq!(parse_config(b"/a:/b\n/c\n\nrelative\n"), ["/a", "/b", "/c"].map(PathBuf::from));
        let dirs = ["/a".into()];
        let machine = Machine { number: 62, class: Class::Elf64, little_endian: true };
        let library = |path: &str| Library { name: "x".into(), path: path.into(), machine };
        let written = write_config(&dirs, &[library("/o/x"), library("/a/y")]);
        assert_eq!(written, b"/a\n/o\n");
    }

    #[test]
    fn reserved_names() {
        for name in ["libc.so", "libm.so.6", "libpthread.so.0"] {
            assert!(is_reserved(name.as_ref()), "{name}");
        }
        for name in ["libcrypto.so.3", "libmagic.so", "c.so", "libz.so.1"] {
            assert!(!is_reserved(name.as_ref()), "{name}");
        }
    }
}
