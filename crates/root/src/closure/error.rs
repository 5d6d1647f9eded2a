//! Why a program can't start: what is missing, or what it is.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use isol_sys::quote::shown;
use thiserror::Error;

use crate::elf::{ElfError, Machine};
use crate::walk::{Sysroot, WalkError};

/// Where something was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// The whole host.
    Host,
    /// A root directory.
    Root,
}

impl Place {
    pub(super) fn of(root: &Sysroot) -> Self {
        if root.is_host() { Self::Host } else { Self::Root }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "on this host",
            Self::Root => "in the root",
        })
    }
}

/// A library that is not where its loader would look.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "library {}, needed by {}, is not {place}{}",
    shown(library),
    shown(needed_by),
    Searched(searched, unfit)
)]
#[non_exhaustive]
pub struct MissingLibrary {
    /// Its name.
    pub library: OsString,
    /// The file that needs it.
    pub needed_by: PathBuf,
    /// The directories that were searched, in order.
    pub searched: Vec<PathBuf>,
    /// Files of that name that are no libraries for this machine.
    pub unfit: Vec<PathBuf>,
    /// Where that was.
    pub place: Place,
}

struct Searched<'a>(&'a [PathBuf], &'a [PathBuf]);

impl fmt::Display for Searched<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, dir) in self.0.iter().enumerate() {
            write!(f, "{}{}", if n == 0 { " (searched " } else { ", " }, shown(dir))?;
        }
        if !self.0.is_empty() {
            f.write_str(")")?;
        }
        for unfit in self.1 {
            write!(f, "; {} is no library for this program", shown(unfit))?;
        }
        Ok(())
    }
}

/// Why a program can't start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClosureError {
    /// The program is not there.
    #[error("program {} is not {place}{}", shown(path), Searched(searched, &[]))]
    ProgramMissing {
        /// Its path, or its name.
        path: PathBuf,
        /// Where that was.
        place: Place,
        /// The directories that were searched, if it was a name.
        searched: Vec<PathBuf>,
    },
    /// An extra path is not there.
    #[error("{} is not {place}", shown(path))]
    ExtraMissing {
        /// The path.
        path: PathBuf,
        /// Where that was.
        place: Place,
    },
    /// The program is a directory.
    #[error("{} is a directory, not a program", shown(path))]
    IsDirectory {
        /// Its path.
        path: PathBuf,
    },
    /// Nobody may execute the program, or it is no regular file.
    #[error("{} is not executable (mode {mode:04o})", shown(path))]
    NotExecutable {
        /// Its path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The loader that a program asks for is not there.
    #[error("{}, the loader of {}, is not {place}", shown(interpreter), shown(program))]
    InterpreterMissing {
        /// The program.
        program: PathBuf,
        /// Its loader.
        interpreter: PathBuf,
        /// Where that was.
        place: Place,
    },
    /// The interpreter of a script is not there.
    #[error(
        "{}, the interpreter of the script {}, is not {place}",
        shown(interpreter),
        shown(script)
    )]
    ScriptInterpreterMissing {
        /// The script.
        script: PathBuf,
        /// Its interpreter; for `env NAME` that name.
        interpreter: PathBuf,
        /// Where that was.
        place: Place,
    },
    /// A library is not there.
    #[error("{first}{}", More(others))]
    LibraryMissing {
        /// The first one.
        first: Box<MissingLibrary>,
        /// All others.
        others: Vec<MissingLibrary>,
    },
    /// The program is neither an ELF file nor a script that names its interpreter.
    #[error("{} is neither an ELF program nor a script with a #! line", shown(path))]
    UnknownFormat {
        /// Its path.
        path: PathBuf,
    },
    /// An ELF file that can't be read as one.
    #[error("{}: {source}", shown(path))]
    Broken {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        source: ElfError,
    },
    /// A loader whose rules isol does not know.
    #[error("{}, the loader of {}, is none that isol knows", shown(interpreter), shown(program))]
    UnknownLoader {
        /// The program.
        program: PathBuf,
        /// Its loader.
        interpreter: PathBuf,
    },
    /// A loader for another machine than the program's.
    #[error("{} is for {found}, but {} is for {expected}", shown(path), shown(needed_by))]
    WrongMachine {
        /// The loader.
        path: PathBuf,
        /// What it is for.
        found: Machine,
        /// The program.
        needed_by: PathBuf,
        /// What that is for.
        expected: Machine,
    },
    /// A program for another machine than this host's.
    #[error("{} is for {found}, and this host is {host}", shown(path))]
    Foreign {
        /// The program.
        path: PathBuf,
        /// What it is for.
        found: String,
        /// What this host is.
        host: String,
    },
    /// A program or a library for a newer kernel: its loader refuses to start it.
    #[error("{} needs Linux {needs} or later, and this kernel is {kernel}", shown(path))]
    KernelTooOld {
        /// Which file says so.
        path: PathBuf,
        /// The version that it needs.
        needs: String,
        /// The version that there is.
        kernel: String,
    },
    /// Scripts that interpret each other, more of them than the kernel accepts.
    #[error("script {} has too many interpreters that are scripts themselves", shown(path))]
    Loop {
        /// The first script.
        path: PathBuf,
    },
    /// A path can't be resolved, or a file can't be read.
    #[error(transparent)]
    Walk(#[from] WalkError),
}

struct More<'a>(&'a [MissingLibrary]);

impl fmt::Display for More<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, missing) in self.0.iter().enumerate() {
            let before = if n == 0 { "; also missing: " } else { ", " };
            write!(f, "{before}{}", shown(&missing.library))?;
        }
        Ok(())
    }
}

impl ClosureError {
    /// The exit status that says it: 127 for what is missing, 126 for what can't be executed, 125 where it can't be told
    /// because the caller has no descriptor or no memory left.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::ProgramMissing { .. }
            | Self::ExtraMissing { .. }
            | Self::InterpreterMissing { .. }
            | Self::ScriptInterpreterMissing { .. }
            | Self::LibraryMissing { .. } => 127,
            Self::Walk(e) if e.is_missing() => 127,
            Self::Walk(e) if e.is_the_caller_s_lack() => 125,
            _ => 126,
        }
    }

    /// What is missing, if that is what is wrong: paths, or names of libraries.
    #[must_use]
    pub fn missing(&self) -> Vec<&Path> {
        match self {
            Self::ProgramMissing { path, .. } | Self::ExtraMissing { path, .. } => vec![path],
            Self::InterpreterMissing { interpreter, .. }
            | Self::ScriptInterpreterMissing { interpreter, .. } => {
                vec![interpreter]
            }
            Self::LibraryMissing { first, others } => std::iter::once(&**first)
                .chain(others)
                .map(|missing| Path::new(&missing.library))
                .collect(),
            _ => Vec::new(),
        }
    }
}
