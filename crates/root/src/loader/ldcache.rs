//! `ld.so.cache`, which glibc's loader asks before it searches its own directories.
//!
//! There are two formats in use: the new one alone, and the new one behind the table of the old one, for loaders of
//! before 2000. The new one: a header of 48 bytes, entries of 24 (flags, name, path, OS version, processor features),
//! and strings, which the entries refer to by their distance from the header.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use object::elf;

use super::{Candidate, Library, glibc};
use crate::elf::{Class, Machine};

const OLD_MAGIC: &[u8] = b"ld.so-1.7.0";
const OLD_HEADER: usize = 16;
const OLD_ENTRY: usize = 12;
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// What a library of today's C library has in its flags' low byte.
const LIBC6: u32 = 3;

/// What a cache says, for one machine.
#[derive(Debug, Default)]
pub(super) struct LdCache {
    libraries: BTreeMap<OsString, Vec<Candidate>>,
}

impl LdCache {
    /// Entries for other machines are left out. `None` if it makes no sense: the loader then ignores it, too.
    ///
    /// # References
    /// ld.so(8), ldconfig(8)
    pub(super) fn parse(bytes: &[u8], machine: Machine) -> Option<Self> {
        let cache = &bytes[new_format(bytes, machine)?..];
        let word = |at: usize| word(cache, at, machine);
        let count = usize::try_from(word(20)?).ok()?;
        if count > (cache.len().checked_sub(HEADER)?) / ENTRY {
            return None;
        }
        let mut libraries: BTreeMap<OsString, Vec<Candidate>> = BTreeMap::new();
        for n in 0..count {
            let at = HEADER + n * ENTRY;
            let flags = word(at)?;
            if flags & 0xff != LIBC6 || abi(machine).is_some_and(|abi| abi != flags & !0xff) {
                continue;
            }
            let (Some(name), Some(path)) =
                (string(cache, word(at + 4)?), string(cache, word(at + 8)?))
            else {
                continue;
            };
            let path = PathBuf::from(path);
            // Neither word of the processor features is set for a library that any processor can load.
            let variant = word(at + 16)? != 0 || word(at + 20)? != 0 || glibc::is_variant(&path);
            libraries.entry(name.to_owned()).or_default().push(Candidate { path, variant });
        }
        // The loader takes the best variant that its processor can load, and the first plain one if none.
        libraries.values_mut().for_each(|found| found.sort_by_key(|candidate| !candidate.variant));
        Some(Self { libraries })
    }

    pub(super) fn find(&self, name: &OsStr) -> impl Iterator<Item = &Candidate> {
        self.libraries.get(name).into_iter().flatten()
    }

    /// A cache in the new format that names exactly these.
    pub(super) fn write(libraries: &[Library], little_endian: bool) -> Vec<u8> {
        let bytes = |word: u32| if little_endian { word.to_le_bytes() } else { word.to_be_bytes() };
        let mut sorted: Vec<&Library> = libraries.iter().collect();
        // A stable sort: of two by one name the loader takes the first, as it did when they were found.
        sorted.sort_by(|a, b| compare(b.name.as_bytes(), a.name.as_bytes()));
        sorted.dedup();

        let mut strings = Vec::new();
        let strings_at = HEADER + sorted.len() * ENTRY;
        let mut place = |text: &[u8]| {
            let at = strings_at + strings.len();
            strings.extend_from_slice(text);
            strings.push(0);
            bytes(u32::try_from(at).unwrap_or(u32::MAX))
        };
        let mut entries = Vec::new();
        for library in &sorted {
            entries.extend(bytes(LIBC6 | abi(library.machine).unwrap_or(0)));
            entries.extend(place(library.name.as_bytes()));
            entries.extend(place(library.path.as_os_str().as_bytes()));
            entries.extend([0; 12]);
        }
        let mut cache = MAGIC.to_vec();
        cache.extend(bytes(u32::try_from(sorted.len()).unwrap_or(u32::MAX)));
        cache.extend(bytes(u32::try_from(strings.len()).unwrap_or(u32::MAX)));
        cache.push(if little_endian { 2 } else { 3 });
        cache.resize(HEADER, 0);
        cache.extend(entries);
        cache.extend(strings);
        cache
    }
}

/// Where the new format begins.
fn new_format(bytes: &[u8], machine: Machine) -> Option<usize> {
    if bytes.starts_with(MAGIC) {
        return Some(0);
    }
    if !bytes.starts_with(OLD_MAGIC) {
        return None;
    }
    let count = usize::try_from(word(bytes, 12, machine)?).ok()?;
    let end = count.checked_mul(OLD_ENTRY)?.checked_add(OLD_HEADER)?;
    // Aligned as a 64-bit number is: to 8 bytes on most machines, to 4 on i386.
    [end.checked_add(7)? & !7, end]
        .into_iter()
        .find(|&at| bytes.get(at..).is_some_and(|rest| rest.starts_with(MAGIC)))
}

fn word(bytes: &[u8], at: usize, machine: Machine) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if machine.little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
}

fn string(cache: &[u8], at: u32) -> Option<&OsStr> {
    let text = cache.get(usize::try_from(at).ok()?..)?;
    let end = text.iter().take(4096).position(|&b| b == 0)?;
    Some(OsStr::from_bytes(&text[..end]))
}

/// The flags by which entries for a machine are told apart; `None` for machines whose flags depend on more than the
/// machine. Their entries are told apart when the files are opened.
fn abi(machine: Machine) -> Option<u32> {
    Some(match (machine.number, machine.class) {
        (elf::EM_X86_64, Class::Elf64) => 0x0300,
        (elf::EM_X86_64, Class::Elf32) => 0x0800,
        (elf::EM_386, _) => 0,
        (elf::EM_AARCH64, Class::Elf64) => 0x0a00,
        (elf::EM_S390, Class::Elf64) => 0x0400,
        (elf::EM_PPC64, _) => 0x0500,
        (elf::EM_RISCV, Class::Elf64) => 0x1000,
        _ => return None,
    })
}

/// The order of the entries, in which the loader searches by halving: numbers count as numbers, and come after
/// everything else.
fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (Some(&x), Some(&y)) = (a.first(), b.first()) else { return a.len().cmp(&b.len()) };
        match (x.is_ascii_digit(), y.is_ascii_digit()) {
            (true, true) => {
                let (m, n) = (number(&mut a), number(&mut b));
                if m != n {
                    return m.cmp(&n);
                }
            }
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) if x != y => return x.cmp(&y),
            (false, false) => (a, b) = (&a[1..], &b[1..]),
        }
    }
}

fn number(text: &mut &[u8]) -> u64 {
    let len = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(len);
    *text = rest;
    digits.iter().fold(0_u64, |n, b| n.wrapping_mul(10).wrapping_add(u64::from(b - b'0')))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const X86_64: Machine =
        Machine { number: elf::EM_X86_64, class: Class::Elf64, little_endian: true };

    fn sample(machine: Machine) -> Vec<Library> {
        let names = ["libc.so.6", "libfoo.so.10", "libfoo.so.9", "libfoo.so", "libz.so.1"];
        names
            .map(|name| Library {
                name: name.into(),
                path: Path::new("/opt/x").join(name),
                machine,
            })
            .to_vec()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let big = Machine { number: elf::EM_S390, little_endian: false, ..X86_64 };
        for machine in [X86_64, big] {
            let bytes = LdCache::write(&sample(machine), machine.little_endian);
            let cache = LdCache::parse(&bytes, machine).unwrap();
            for Library { name, path, .. } in sample(machine) {
                let found: Vec<_> = cache.find(&name).collect();
                assert_eq!(found, [&Candidate { path, variant: false }]);
            }
            assert_eq!(cache.find("libx.so".as_ref()).count(), 0);
        }
    }

    #[test]
    fn entries_stand_in_the_loaders_order() {
        let bytes = LdCache::write(&sample(X86_64), true);
        let names = |at: usize| {
            string(&bytes, word(&bytes, HEADER + at * ENTRY + 4, X86_64).unwrap()).unwrap()
        };
        let order: Vec<_> = (0..5).map(names).collect();
        assert_eq!(order, ["libz.so.1", "libfoo.so.10", "libfoo.so.9", "libfoo.so", "libc.so.6"]);
    }

    #[test]
    fn the_old_table_is_skipped() {
        for count in 0..4_u32 {
            let mut bytes = OLD_MAGIC.to_vec();
            bytes.push(0);
            bytes.extend(count.to_le_bytes());
            bytes.extend(vec![7; count as usize * OLD_ENTRY]);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes.extend(LdCache::write(&sample(X86_64), true));
            assert_eq!(
                LdCache::parse(&bytes, X86_64).unwrap().find("libc.so.6".as_ref()).count(),
                1
            );
        }
    }

    #[test]
    fn other_machines_entries_are_left_out() {
        let bytes = LdCache::write(&sample(X86_64), true);
        let i386 = Machine { number: elf::EM_386, class: Class::Elf32, little_endian: true };
        assert_eq!(LdCache::parse(&bytes, i386).unwrap().libraries.len(), 0);
    }

    #[test]
    fn broken_caches_are_ignored() {
        let bytes = LdCache::write(&sample(X86_64), true);
        for len in 0..bytes.len() {
            // Whole entries may be lost with the end, but nothing else than the truth is read.
            if let Some(cache) = LdCache::parse(&bytes[..len], X86_64) {
                assert!(
                    cache
                        .libraries
                        .values()
                        .flatten()
                        .all(|found| found.path.starts_with("/opt/x"))
                );
            }
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut broken = bytes.clone();
                broken[at] ^= 1 << bit;
                let _ = LdCache::parse(&broken, X86_64);
            }
        }
    }

    #[test]
    fn this_hosts_cache_has_the_c_library() {
        let Ok(bytes) = std::fs::read("/etc/ld.so.cache") else { return };
        let Ok(elf) = crate::elf::Elf::read(&std::fs::File::open("/bin/true").unwrap()) else {
            return;
        };
        let cache = LdCache::parse(&bytes, elf.machine).unwrap();
        assert!(cache.find("libc.so.6".as_ref()).next().unwrap().path.ends_with("libc.so.6"));
    }
}
