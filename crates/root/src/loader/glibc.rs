//! The GNU C library's loader: what it was built with, and the directories for newer processors.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use object::elf;

use super::{Candidate, Tokens};
use crate::elf::{Class, Machine};

/// The directories that the loader was built with. Each distribution chooses its own; they stand in the loader's image
/// one after the other, each with a slash and a NUL at its end, so that is where they are read.
pub(super) fn builtin_dirs(image: &[u8], machine: Machine) -> Vec<PathBuf> {
    let mut best: Vec<&[u8]> = Vec::new();
    let mut run = Vec::new();
    let mut run_end = 0;
    for slash in slashes(image).filter(|slash| image.get(slash + 1).is_none_or(|&b| b == 0)) {
        let begin = begin_of_text(image, slash);
        let text = &image[begin..=slash];
        // The first of a run may have other bytes before it.
        let start = text.iter().rposition(|&b| !(b' '..=b'~').contains(&b)).map_or(0, |at| at + 1);
        if start > 0 || begin != run_end {
            run.clear();
        }
        if is_library_dir(&text[start..]) {
            run.push(&text[start..]);
            run_end = slash + 2;
        } else {
            run.clear();
        }
        if run.len() > best.len() {
            best.clone_from(&run);
        }
    }
    if best.is_empty() {
        usual_dirs(machine)
    } else {
        best.iter().map(|dir| path(&dir[..dir.len() - 1])).collect()
    }
}

/// Where the slashes are. Most of an image has none, and is passed over quickly.
fn slashes(image: &[u8]) -> impl Iterator<Item = usize> + '_ {
    const PIECE: usize = 64;
    let pieces = image.chunks(PIECE).enumerate().filter(|(_, piece)| piece.contains(&b'/'));
    pieces.flat_map(|(number, piece)| {
        let found = piece.iter().enumerate().filter(|&(_, &b)| b == b'/');
        found.map(move |(at, _)| number * PIECE + at)
    })
}

/// Behind the last NUL before `at`.
fn begin_of_text(image: &[u8], at: usize) -> usize {
    image[..at].iter().rposition(|&b| b == 0).map_or(0, |nul| nul + 1)
}

/// `/…/lib*/` or `/…/lib*/TRIPLET/`.
fn is_library_dir(text: &[u8]) -> bool {
    let Some(inner) = text.strip_prefix(b"/").and_then(|text| text.strip_suffix(b"/")) else {
        return false;
    };
    let mut parts = inner.rsplit(|&b| b == b'/');
    let is_lib = |part: Option<&[u8]>| part.is_some_and(|part| part.starts_with(b"lib"));
    is_lib(parts.next()) || is_lib(parts.next())
}

fn usual_dirs(machine: Machine) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    if let Some(name) = machine.name() {
        let abi = match name {
            "arm" => "gnueabihf",
            "x32" => "gnux32",
            "mips64" | "mips64el" => "gnuabi64",
            _ => "gnu",
        };
        let name = if name == "x32" { "x86_64" } else { name };
        dirs.extend(
            ["/lib", "/usr/lib"].map(|dir| PathBuf::from(format!("{dir}/{name}-linux-{abi}"))),
        );
    }
    if machine.class == Class::Elf64 {
        dirs.extend(["/lib64", "/usr/lib64"].map(PathBuf::from));
    }
    dirs.extend(["/lib", "/usr/lib"].map(PathBuf::from));
    dirs
}

/// Where the loader was built to look for its cache.
pub(super) fn cache_path(image: &[u8]) -> PathBuf {
    const NAME: &[u8] = b"/ld.so.cache";
    let text = |slash: usize| {
        let rest = image[slash..].strip_prefix(NAME)?;
        let begin = begin_of_text(image, slash);
        let is_path = image[begin] == b'/' && rest.first().is_none_or(|&b| b == 0);
        is_path.then(|| path(&image[begin..slash + NAME.len()]))
    };
    slashes(image).find_map(text).unwrap_or_else(|| PathBuf::from("/etc/ld.so.cache"))
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// `$LIB` is the part of the first directory that depends on the machine.
pub(super) fn tokens(machine: Machine, builtin_dirs: &[PathBuf]) -> Tokens {
    let first = builtin_dirs.first().map(PathBuf::as_path);
    let lib =
        first.map(|dir| dir.strip_prefix("/usr").or_else(|_| dir.strip_prefix("/")).unwrap_or(dir));
    let platforms = match machine.number {
        // Up to 2.36 the loader puts a name of its own in place of the kernel's on some processors.
        elf::EM_X86_64 => vec!["haswell", "xeon_phi", "x86_64"],
        elf::EM_386 => vec!["i686", "i586", "i486", "i386"],
        elf::EM_AARCH64 => vec!["aarch64"],
        elf::EM_S390 => vec!["z16", "z15", "z14", "z13", "zEC12", "z196", "z10"],
        elf::EM_PPC64 => vec!["power10", "power9", "power8"],
        elf::EM_ARM => vec!["v8l", "v7l", "v6l"],
        _ => Vec::new(),
    };
    Tokens { lib: lib.map(|dir| OsString::from(dir.as_os_str())), platforms }
}

/// The directories below `glibc-hwcaps`, best first.
fn hwcaps(machine: Machine) -> &'static [&'static str] {
    match (machine.number, machine.class, machine.little_endian) {
        (elf::EM_X86_64, Class::Elf64, _) => &["x86-64-v4", "x86-64-v3", "x86-64-v2"],
        (elf::EM_PPC64, _, true) => &["power10", "power9"],
        (elf::EM_S390, Class::Elf64, _) => &["z16", "z15", "z14", "z13"],
        _ => &[],
    }
}

/// `name` in each directory, the builds for newer processors before the plain one.
pub(super) fn in_dirs(dirs: &[PathBuf], name: &OsStr, machine: Machine) -> Vec<Candidate> {
    let mut found = Vec::new();
    for dir in dirs {
        let variants =
            hwcaps(machine).iter().map(|level| dir.join("glibc-hwcaps").join(level).join(name));
        found.extend(variants.map(|path| Candidate { path, variant: true }));
        found.push(Candidate { path: dir.join(name), variant: false });
    }
    found
}

/// Whether a path leads to a build for newer processors.
pub(super) fn is_variant(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "glibc-hwcaps")
}
