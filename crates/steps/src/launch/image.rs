//! The program, as execve(2) takes it.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use isol_core::{Errno, Prepared};
use isol_sys::environment::CStrings;
use isol_sys::exec;

use super::LaunchError;

/// The program as execve(2) takes it, laid ready.
#[derive(Debug)]
pub struct Image {
    pub(super) program: PathBuf,
    path: CString,
    arguments: CStrings,
    environment: CStrings,
}

impl Image {
    /// Lays the prepared plan's program ready.
    ///
    /// # Errors
    /// There is none, or something in it has a NUL byte.
    pub fn new(prepared: &Prepared) -> Result<Self, LaunchError> {
        let scene = prepared.scene();
        let command = scene.command.as_ref().ok_or(LaunchError::Command("no program is named"))?;
        let program = command.program().to_owned();
        let path = CString::new(program.as_os_str().as_bytes())
            .map_err(|_| LaunchError::Command("the program's path has a NUL byte in it"))?;
        let name = [command.name().to_owned()];
        let arguments = CStrings::new(name.into_iter().chain(command.arguments().cloned()))
            .ok_or(LaunchError::Command("an argument has a NUL byte in it"))?;
        let environment = match &scene.environment {
            Some(variables) => CStrings::environment(variables),
            None => CStrings::environment(&std::env::vars_os().collect::<Vec<_>>()),
        };
        let environment =
            environment.ok_or(LaunchError::Command("a variable has a NUL byte in it"))?;
        Ok(Self { program, path, arguments, environment })
    }

    /// Becomes the program; returns only if that failed. Async-signal-safe.
    pub(super) fn execute(&self) -> Errno {
        exec::execute(&self.path, &self.arguments, &self.environment)
    }
}
