//! Why a file is no usable ELF file.

use thiserror::Error;

/// Why a file is no usable ELF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ElfError {
    /// It does not begin as one.
    #[error("not an ELF file")]
    NotElf,
    /// A part of it is missing, or says what can't be.
    #[error("broken ELF file: {0}")]
    Broken(&'static str),
    /// A part of it is longer than in any real program.
    #[error("ELF file with too much {0}")]
    TooMuch(&'static str),
}
