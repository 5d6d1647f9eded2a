//! Which machine a program is for.

use std::fmt;

use object::elf;

/// The width of its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// 32 bits.
    Elf32,
    /// 64 bits.
    Elf64,
}

/// The machine that an ELF file is for: one that differs in any of these can't be loaded into the same process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Machine {
    /// `e_machine`.
    pub number: u16,
    /// 32 or 64 bits.
    pub class: Class,
    /// Whether the low byte comes first.
    pub little_endian: bool,
}

impl Machine {
    /// Its name, as GNU triplets begin with it; `None` for the rarer ones.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match (self.number, self.class, self.little_endian) {
            (elf::EM_X86_64, Class::Elf64, _) => "x86_64",
            (elf::EM_X86_64, Class::Elf32, _) => "x32",
            (elf::EM_386, ..) => "i386",
            (elf::EM_AARCH64, _, true) => "aarch64",
            (elf::EM_AARCH64, ..) => "aarch64_be",
            (elf::EM_ARM, ..) => "arm",
            (elf::EM_RISCV, Class::Elf64, _) => "riscv64",
            (elf::EM_RISCV, ..) => "riscv32",
            (elf::EM_PPC64, _, true) => "powerpc64le",
            (elf::EM_PPC64, ..) => "powerpc64",
            (elf::EM_PPC, ..) => "powerpc",
            (elf::EM_S390, Class::Elf64, _) => "s390x",
            (elf::EM_LOONGARCH, Class::Elf64, _) => "loongarch64",
            (elf::EM_MIPS, Class::Elf64, true) => "mips64el",
            (elf::EM_MIPS, Class::Elf64, false) => "mips64",
            (elf::EM_MIPS, _, true) => "mipsel",
            (elf::EM_MIPS, ..) => "mips",
            _ => return None,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "ELF machine {} ({:?})", self.number, self.class),
        }
    }
}
