//! What an ELF file says of itself, as far as starting it goes.
//!
//! The files are not trusted: every length is bounded before anything is read, and no more than a few hundred
//! kilobytes of a file of any size are looked at.

mod error;
mod machine;
mod read;

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;

use object::{FileKind, ReadCache, ReadRef, elf};

pub use error::ElfError;
pub use machine::{Class, Machine};

/// What kind of ELF file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A program at a fixed address.
    Executable,
    /// A shared object or a position-independent program; the file doesn't say which.
    Shared,
    /// Neither: nothing that can be started or loaded.
    Other,
}

/// What an ELF file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elf {
    /// The machine that it is for.
    pub machine: Machine,
    /// The byte `EI_OSABI`.
    pub os_abi: u8,
    /// Executable or shared.
    pub kind: Kind,
    /// The loader that it asks for (`PT_INTERP`).
    pub interpreter: Option<PathBuf>,
    /// Whether it has a dynamic section. One that has neither this nor an interpreter is static.
    pub dynamic: bool,
    /// The libraries that it needs (`DT_NEEDED`), in order.
    pub needed: Vec<OsString>,
    /// The name it wants to be known by (`DT_SONAME`).
    pub soname: Option<OsString>,
    /// Where to look for what it and what it loads need (`DT_RPATH`), unless there is a `DT_RUNPATH`.
    pub rpath: Option<OsString>,
    /// Where to look for what it needs itself (`DT_RUNPATH`).
    pub runpath: Option<OsString>,
    /// Whether the default directories are not to be searched (`DF_1_NODEFLIB`).
    pub no_default_dirs: bool,
    /// The system that it was built for (`.note.ABI-tag`).
    pub abi_note: Option<AbiNote>,
}

/// What `.note.ABI-tag` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AbiNote {
    /// Linux, of this version or later.
    Linux([u32; 3]),
    /// FreeBSD, of this `osreldate`.
    FreeBsd(u32),
    /// Another system, by its number.
    Other(u32),
}

impl Elf {
    /// The first bytes of every ELF file.
    pub const MAGIC: [u8; 4] = elf::ELFMAG;

    /// Reads an open file.
    ///
    /// # Errors
    /// [`ElfError`] if it is no ELF file, or one that makes no sense.
    ///
    /// # References
    /// elf(5)
    ///
    /// ```
    /// let this = std::fs::File::open(std::env::current_exe()?)?;
    /// if let Ok(elf) = isol_root::elf::Elf::read(&this) {
    ///     assert_eq!(elf.interpreter.is_none(), elf.needed.is_empty());
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read(file: &File) -> Result<Self, ElfError> {
        Self::from_data(&ReadCache::new(file))
    }

    /// Reads a file that is in memory.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(bytes: &[u8]) -> Result<Self, ElfError> {
        Self::from_data(bytes)
    }

    /// Whether it needs no loader and no library.
    #[must_use]
    pub fn is_static(&self) -> bool {
        self.interpreter.is_none() && self.needed.is_empty()
    }

    fn from_data<'data, R: ReadRef<'data>>(data: R) -> Result<Self, ElfError> {
        match FileKind::parse(data).map_err(|_| ElfError::NotElf)? {
            FileKind::Elf32 => {
                read::read::<elf::FileHeader32<object::Endianness>, R>(data, Class::Elf32)
            }
            FileKind::Elf64 => {
                read::read::<elf::FileHeader64<object::Endianness>, R>(data, Class::Elf64)
            }
            _ => Err(ElfError::NotElf),
        }
    }
}

#[cfg(test)]
mod tests;
