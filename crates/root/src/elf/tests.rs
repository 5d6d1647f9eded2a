use std::fs;

use super::*;

/// Real files of every kind that this host has.
fn samples() -> Vec<Vec<u8>> {
    [
        "/bin/true",
        "/usr/bin/env",
        "/lib64/ld-linux-x86-64.so.2",
        "/lib/ld-musl-x86_64.so.1",
        "/libexec/ld-elf.so.1",
    ]
    .iter()
    .filter_map(|path| fs::read(path).ok())
    .filter(|bytes| bytes.starts_with(&Elf::MAGIC))
    .collect()
}

#[test]
fn a_dynamic_program_is_read_the_same_from_file_and_memory() {
    for path in ["/bin/true", "/usr/bin/env"] {
        let bytes = fs::read(path).unwrap();
        if !bytes.starts_with(&Elf::MAGIC) {
            continue;
        }
        let elf = Elf::parse(&bytes).unwrap();
        assert_eq!(Elf::read(&fs::File::open(path).unwrap()).unwrap(), elf);
        assert!(elf.dynamic && !elf.is_static());
        assert!(elf.interpreter.unwrap().is_absolute());
        assert!(elf.needed.iter().any(|name| name.to_str().unwrap().starts_with("libc.so")));
        assert_eq!(elf.machine.name(), Some(std::env::consts::ARCH));
    }
}

#[test]
fn what_is_no_elf_file_is_said_to_be_none() {
    for bytes in
        [&b""[..], b"\x7f", b"#!/bin/sh\n", &[0; 4096], b"MZ\0\0", b"\xca\xfe\xba\xbe\0\0\0\x02"]
    {
        assert_eq!(Elf::parse(bytes), Err(ElfError::NotElf));
    }
}

#[test]
fn truncated_files_end_in_errors() {
    for bytes in samples() {
        let whole = Elf::parse(&bytes).unwrap();
        for len in (0..bytes.len().min(6000)).chain((6000..bytes.len()).step_by(997)) {
            // What is cut off may be what nobody asked for; what is read must be the same then.
            if let Ok(elf) = Elf::parse(&bytes[..len]) {
                assert_eq!(elf, whole);
            }
        }
    }
}

/// xorshift64*: the same numbers in each run, so that a failure can be repeated.
fn random(state: &mut u64) -> usize {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    usize::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap()
}

#[test]
fn flipped_bits_end_in_errors_or_small_answers() {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for bytes in samples() {
        let path = tempfile::NamedTempFile::new().unwrap();
        // Where the tables are: the header, the segments, the dynamic section.
        let dynamic = find_dynamic(&bytes);
        for round in 0..20_000 {
            let mut broken = bytes.clone();
            for _ in 0..=random(&mut state) % 4 {
                let at = match random(&mut state) % 3 {
                    0 => random(&mut state) % 0x400,
                    1 => dynamic + random(&mut state) % 0x200,
                    _ => random(&mut state) % broken.len(),
                };
                let last = broken.len() - 1;
                broken[at.min(last)] ^= 1 << (random(&mut state) % 8);
            }
            if let Ok(elf) = Elf::parse(&broken) {
                let strings = elf.needed.iter().map(|name| name.len()).sum::<usize>();
                assert!(strings <= 2048 * 4096);
            }
            // The reader of files has its own cache, whose sizes must be bounded too.
            if round % 200 == 0 {
                fs::write(path.path(), &broken).unwrap();
                let read = Elf::read(&fs::File::open(path.path()).unwrap());
                assert_eq!(read.is_ok(), Elf::parse(&broken).is_ok());
            }
        }
    }
}

fn find_dynamic(bytes: &[u8]) -> usize {
    let field = |at: usize, len: usize| {
        bytes[at..at + len].iter().rev().fold(0_usize, |n, &b| n << 8 | usize::from(b))
    };
    let (start, count) = (field(32, 8), field(56, 2));
    (0..count)
        .map(|n| start + n * 56)
        .find(|&at| field(at, 4) == 2)
        .map_or(0, |at| field(at + 8, 8))
}

/// A 64-bit little-endian file with one dynamic segment whose entries are given.
fn crafted(entries: &[(u64, u64)], file_len: usize) -> Vec<u8> {
    let mut file = vec![0; file_len];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &3_u16.to_le_bytes());
    put(18, &62_u16.to_le_bytes());
    put(20, &1_u32.to_le_bytes());
    put(32, &64_u64.to_le_bytes());
    put(52, &64_u16.to_le_bytes());
    put(54, &56_u16.to_le_bytes());
    put(56, &2_u16.to_le_bytes());
    let segment = |kind: u32, offset: u64, size: u64| {
        let mut bytes = Vec::new();
        bytes.extend(kind.to_le_bytes());
        bytes.extend([0; 4]);
        for word in [offset, offset, offset, size, size, 8] {
            bytes.extend(word.to_le_bytes());
        }
        bytes
    };
    put(64, &segment(1, 0, file_len as u64));
    put(120, &segment(2, 176, entries.len() as u64 * 16));
    for (n, (tag, value)) in entries.iter().enumerate() {
        put(176 + n * 16, &tag.to_le_bytes());
        put(184 + n * 16, &value.to_le_bytes());
    }
    file
}

#[test]
fn crafted_lengths_are_bounded() {
    const NEEDED: u64 = 1;
    const STRTAB: u64 = 5;
    const STRSZ: u64 = 10;
    let mut file = crafted(&[(NEEDED, 1), (STRTAB, 500), (STRSZ, u64::MAX), (0, 0)], 600);
    file[501..508].copy_from_slice(b"libx.so");
    assert_eq!(Elf::parse(&file).unwrap().needed, ["libx.so"]);
    // A string that never ends.
    file[501..].fill(b'x');
    assert_eq!(Elf::parse(&file), Err(ElfError::Broken("dynamic string")));
    // A string table outside the file, and offsets that overflow.
    for (strings, at) in [(u64::MAX, 1), (500, u64::MAX - 1), (599, 5)] {
        let file = crafted(&[(NEEDED, at), (STRTAB, strings), (STRSZ, u64::MAX)], 600);
        assert_eq!(Elf::parse(&file), Err(ElfError::Broken("dynamic string")));
    }
    // More libraries than any program has.
    let many: Vec<_> =
        [(STRTAB, 100), (STRSZ, 10)].into_iter().chain((0..5000).map(|_| (NEEDED, 1))).collect();
    assert_eq!(Elf::parse(&crafted(&many, 100_000)), Err(ElfError::TooMuch("libraries")));
    let mut huge = crafted(&[], 600);
    huge[152..160].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    assert_eq!(Elf::parse(&huge), Err(ElfError::TooMuch("dynamic entries")));
    huge[56..58].copy_from_slice(&u16::MAX.to_le_bytes());
    assert_eq!(Elf::parse(&huge), Err(ElfError::TooMuch("segments")));
}
