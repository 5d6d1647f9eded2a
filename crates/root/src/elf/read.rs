//! The reading itself, the same for both classes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use object::elf;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, ReadRef};

use super::{AbiNote, Class, Elf, ElfError, Kind, Machine};

/// The kernels read one page of them.
const MAX_SEGMENTS: u16 = 512;
/// PATH_MAX, as in the kernels.
const MAX_STRING: u64 = 4096;
/// 65,536 entries.
const MAX_DYNAMIC: u64 = 1 << 20;
/// Notes that are longer hold something else.
const MAX_NOTES: u64 = 1 << 16;
const MAX_NEEDED: usize = 2048;

pub(super) fn read<'data, H, R>(data: R, class: Class) -> Result<Elf, ElfError>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = H::parse(data).map_err(|_| ElfError::Broken("header"))?;
    let endian = header.endian().map_err(|_| ElfError::Broken("byte order"))?;
    if header.e_phnum(endian) > MAX_SEGMENTS {
        return Err(ElfError::TooMuch("segments"));
    }
    let segments =
        header.program_headers(endian, data).map_err(|_| ElfError::Broken("program headers"))?;

    let mut read = Elf {
        machine: Machine {
            number: header.e_machine(endian),
            class,
            little_endian: matches!(endian, Endianness::Little),
        },
        os_abi: header.e_ident().os_abi,
        kind: match header.e_type(endian) {
            elf::ET_EXEC => Kind::Executable,
            elf::ET_DYN => Kind::Shared,
            _ => Kind::Other,
        },
        interpreter: None,
        dynamic: false,
        needed: Vec::new(),
        soname: None,
        rpath: None,
        runpath: None,
        no_default_dirs: false,
        abi_note: None,
    };
    for segment in segments {
        let (offset, size) = segment.file_range(endian);
        match segment.p_type(endian) {
            // The kernels take the first.
            elf::PT_INTERP if read.interpreter.is_none() => {
                read.interpreter = Some(interpreter(data, offset, size)?);
            }
            elf::PT_DYNAMIC if !read.dynamic => {
                if size > MAX_DYNAMIC {
                    return Err(ElfError::TooMuch("dynamic entries"));
                }
                read.dynamic = true;
                let entries = segment
                    .dynamic(endian, data)
                    .map_err(|_| ElfError::Broken("dynamic section"))?;
                dynamic(&mut read, entries.unwrap_or_default(), segments, endian, data)?;
            }
            elf::PT_NOTE if read.abi_note.is_none() && size <= MAX_NOTES => {
                read.abi_note = abi_note::<H, R>(segment, endian, data);
            }
            _ => {}
        }
    }
    Ok(read)
}

/// One that makes no sense is none: it stops neither the kernels nor the loaders.
fn abi_note<'data, H, R>(segment: &H::ProgramHeader, endian: Endianness, data: R) -> Option<AbiNote>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let mut notes = segment.notes(endian, data).ok()??;
    while let Ok(Some(note)) = notes.next() {
        let words = note.desc().chunks_exact(4).map(|word| {
            let word = [word[0], word[1], word[2], word[3]];
            match endian {
                Endianness::Little => u32::from_le_bytes(word),
                Endianness::Big => u32::from_be_bytes(word),
            }
        });
        let words: Vec<_> = words.collect();
        match (note.name(), note.n_type(endian), &words[..]) {
            (b"GNU", elf::NT_GNU_ABI_TAG, [elf::ELF_NOTE_OS_LINUX, a, b, c, ..]) => {
                return Some(AbiNote::Linux([*a, *b, *c]));
            }
            (b"GNU", elf::NT_GNU_ABI_TAG, [other, ..]) => return Some(AbiNote::Other(*other)),
            // Its NT_FREEBSD_ABI_TAG has the same number.
            (b"FreeBSD", elf::NT_GNU_ABI_TAG, [osreldate, ..]) => {
                return Some(AbiNote::FreeBsd(*osreldate));
            }
            _ => {}
        }
    }
    None
}

fn interpreter<'data, R: ReadRef<'data>>(
    data: R,
    offset: u64,
    size: u64,
) -> Result<PathBuf, ElfError> {
    const BROKEN: ElfError = ElfError::Broken("interpreter's name");
    if size > MAX_STRING {
        return Err(BROKEN);
    }
    let bytes = data.read_bytes_at(offset, size).map_err(|()| BROKEN)?;
    match bytes.iter().position(|&b| b == 0) {
        Some(len @ 1..) => Ok(PathBuf::from(OsStr::from_bytes(&bytes[..len]))),
        _ => Err(BROKEN),
    }
}

fn dynamic<'data, D, P, R>(
    read: &mut Elf,
    entries: &[D],
    segments: &[P],
    endian: Endianness,
    data: R,
) -> Result<(), ElfError>
where
    D: Dyn<Endian = Endianness>,
    P: ProgramHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let entries = || {
        let tagged = entries
            .iter()
            .map(|entry| (u32::try_from(entry.d_tag(endian).into()), entry.d_val(endian).into()));
        tagged.take_while(|(tag, _)| *tag != Ok(elf::DT_NULL))
    };
    // The string table may come after what refers to it.
    let value =
        |wanted| entries().find(|(tag, _)| *tag == Ok(wanted)).map_or(0, |(_, value)| value);
    let strings = Strings::find(value(elf::DT_STRTAB), value(elf::DT_STRSZ), segments, endian);
    for (tag, value) in entries() {
        match tag {
            Ok(elf::DT_NEEDED) if read.needed.len() == MAX_NEEDED => {
                return Err(ElfError::TooMuch("libraries"));
            }
            Ok(elf::DT_NEEDED) => read.needed.push(strings.get(value, data)?),
            Ok(elf::DT_SONAME) => read.soname = Some(strings.get(value, data)?),
            Ok(elf::DT_RPATH) => read.rpath = Some(strings.get(value, data)?),
            Ok(elf::DT_RUNPATH) => read.runpath = Some(strings.get(value, data)?),
            Ok(elf::DT_FLAGS_1) => {
                read.no_default_dirs = value & u64::from(elf::DF_1_NODEFLIB) != 0
            }
            _ => {}
        }
    }
    Ok(())
}

/// The dynamic string table, found by its address as the loader finds it: the section headers may be missing or lie.
struct Strings {
    offset: u64,
    len: u64,
}

impl Strings {
    fn find<P: ProgramHeader<Endian = Endianness>>(
        address: u64,
        len: u64,
        segments: &[P],
        endian: Endianness,
    ) -> Self {
        let holds = |segment: &&P| {
            let start: u64 = segment.p_vaddr(endian).into();
            segment.p_type(endian) == elf::PT_LOAD
                && address >= start
                && address - start < segment.p_filesz(endian).into()
        };
        let offset = segments.iter().find(holds).and_then(|segment| {
            let offset: u64 = segment.p_offset(endian).into();
            offset.checked_add(address - segment.p_vaddr(endian).into())
        });
        // Without a place there is no string either: an error only for those files that refer to one.
        offset.map_or(Self { offset: 0, len: 0 }, |offset| Self { offset, len })
    }

    fn get<'data, R: ReadRef<'data>>(&self, at: u64, data: R) -> Result<OsString, ElfError> {
        const BROKEN: ElfError = ElfError::Broken("dynamic string");
        if at >= self.len {
            return Err(BROKEN);
        }
        let start = self.offset.checked_add(at).ok_or(BROKEN)?;
        let file_end = data.len().map_err(|()| BROKEN)?;
        let longest = (self.len - at).min(MAX_STRING);
        let end = start.checked_add(longest).ok_or(BROKEN)?.min(file_end);
        if start >= end {
            return Err(BROKEN);
        }
        let bytes = data.read_bytes_at_until(start..end, 0).map_err(|()| BROKEN)?;
        Ok(OsString::from_vec(bytes.to_vec()))
    }
}
