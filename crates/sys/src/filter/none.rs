//! Systems and architectures without filters.

use std::fs::File;
use std::io;
use std::os::fd::{OwnedFd, RawFd};

use isol_core::Errno;
use isol_core::seccomp::Refusal;

use super::{Program, Told};
use crate::errno::NOT_HERE;

/// Whether system calls can be filtered here.
pub const BUILT_IN: bool = false;

/// Which threads a filter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This one.
    Thread,
    /// All of the process.
    Process,
}

/// Whether the kernel has filters.
///
/// # Errors
/// Always `ENOSYS`.
pub fn available() -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// The number of a call.
#[must_use]
pub fn number(_name: &str) -> Option<u32> {
    None
}

/// The name of a call.
#[must_use]
pub fn name(_number: u32) -> Option<&'static str> {
    None
}

/// Makes a filter.
///
/// # Errors
/// Always.
pub fn compile<'a>(_refusals: impl IntoIterator<Item = &'a Refusal>) -> Result<Program, String> {
    Err(NOT_HERE.message())
}

/// Reads a filter.
///
/// # Errors
/// Always.
pub fn read_json(_text: &[u8]) -> Result<Program, String> {
    Err(NOT_HERE.message())
}

/// Whether the kernel takes a filter.
///
/// # Errors
/// Always `ENOSYS`.
pub fn try_out(_program: &Program) -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Puts a filter in force.
///
/// # Errors
/// Always `ENOSYS`.
pub fn install(_program: &Program, _scope: Scope, _log: bool) -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Puts a filter in force that tells what it refuses.
///
/// # Errors
/// Always `ENOSYS`.
pub fn install_telling(_program: &Program, _channel: RawFd, _record: &[u8]) -> Result<(), Errno> {
    Err(NOT_HERE)
}

/// Reads one record, and a descriptor.
///
/// # Errors
/// Always `ENOSYS`.
pub fn receive<const N: usize>(_from: &File) -> io::Result<Option<([u8; N], Option<OwnedFd>)>> {
    Err(NOT_HERE.into())
}

/// What a running program is refused: nothing.
#[derive(Debug)]
pub struct Refusals {
    _private: (),
}

impl Refusals {
    /// What a descriptor tells.
    #[must_use]
    pub fn new(_listener: OwnedFd, _program: Program) -> Self {
        Self { _private: () }
    }
}

impl Iterator for Refusals {
    type Item = io::Result<Told>;

    fn next(&mut self) -> Option<io::Result<Told>> {
        None
    }
}

/// Whether any filter is in force.
///
/// # Errors
/// Always `ENOSYS`.
pub fn is_in_force() -> Result<bool, Errno> {
    Err(NOT_HERE)
}

/// What a call answers.
///
/// # Errors
/// Always `ENOSYS`.
pub fn asked(_number: u32, _first: u32) -> Result<(), Errno> {
    Err(NOT_HERE)
}
