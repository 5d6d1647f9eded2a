//! What is to be run inside.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// A program and its arguments, as seen from inside the root.
///
/// ```
/// let command = isol_core::Command::new("/bin/httpd").arg("-f");
/// assert_eq!(command.arguments().count(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    program: PathBuf,
    name: Option<OsString>,
    arguments: Vec<OsString>,
    stdio: [Stdio; 3],
}

/// Where one of the program's standard descriptors leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdio {
    /// Where the caller's leads.
    #[default]
    Inherit,
    /// To `/dev/null`.
    Null,
    /// To a pipe whose other end the caller gets. Spawned programs only.
    Piped,
}

impl Command {
    /// A program by its path inside the root. One without a slash is looked for in
    /// the usual directories inside.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            name: None,
            arguments: Vec::new(),
            stdio: [Stdio::Inherit; 3],
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Where standard input comes from.
    #[must_use]
    pub fn stdin(mut self, stdio: Stdio) -> Self {
        self.stdio[0] = stdio;
        self
    }

    /// Where standard output goes.
    #[must_use]
    pub fn stdout(mut self, stdio: Stdio) -> Self {
        self.stdio[1] = stdio;
        self
    }

    /// Where standard error goes.
    #[must_use]
    pub fn stderr(mut self, stdio: Stdio) -> Self {
        self.stdio[2] = stdio;
        self
    }

    /// The same command once its program has been found; it still sees the name by
    /// which it was called.
    #[must_use]
    pub fn found_at(mut self, path: impl Into<PathBuf>) -> Self {
        let called = std::mem::replace(&mut self.program, path.into());
        self.name.get_or_insert_with(|| called.into_os_string());
        self
    }

    /// The name by which the program is called: its `argv[0]`.
    #[must_use]
    pub fn name(&self) -> &OsStr {
        self.name.as_deref().unwrap_or(self.program.as_os_str())
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The arguments behind the program's name.
    pub fn arguments(&self) -> impl Iterator<Item = &OsString> {
        self.arguments.iter()
    }

    /// Standard input, output and error.
    #[must_use]
    pub fn stdio(&self) -> [Stdio; 3] {
        self.stdio
    }
}
