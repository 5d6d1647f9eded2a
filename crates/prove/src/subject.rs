//! Who isolates.

use isol_core::{Backend, Mode};

use crate::scenario::How;

/// Who isolates.
#[derive(Clone)]
pub enum Subject {
    /// isol, with one of its backends, in one of its modes.
    Isol(&'static dyn Backend, Mode),
    /// Nobody: the attacker is the caller.
    Unisolated,
    /// Nobody, but as the target uid, gid and groups.
    UidOnly,
    /// Another tool.
    Tool(Tool),
}

/// Another tool that isolates: its name, and the command line before the program's.
#[derive(Clone, Debug)]
pub struct Tool {
    /// What it is called in tables.
    pub name: String,
    /// Its command line; `{root}`, `{user}`, which is a uid or a name, and `{groups}` are filled in, and the
    /// attacker's comes behind it.
    pub words: Vec<String>,
    /// Whether it looks names of users up.
    pub takes_names: bool,
}

impl Tool {
    /// A tool by its command line, with blanks between the words.
    #[must_use]
    pub fn new(name: &str, line: &str, takes_names: bool) -> Self {
        Self {
            name: name.to_owned(),
            takes_names,
            words: line.split_whitespace().map(str::to_owned).collect(),
        }
    }
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

impl Subject {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Subject::Isol(backend, mode) => format!("{}::{mode}", backend.name()),
            Subject::Unisolated => "unisolated".into(),
            Subject::UidOnly => "uid-only".into(),
            Subject::Tool(tool) => tool.name.clone(),
        }
    }

    pub(crate) fn how(&self) -> How {
        match self {
            Subject::Isol(backend, mode) => {
                How::Isol { backend: backend.name().to_owned(), mode: (*mode).into() }
            }
            Subject::Unisolated => How::Unisolated,
            Subject::UidOnly => How::UidOnly,
            Subject::Tool(tool) => How::Tool { words: tool.words.clone() },
        }
    }
}
