//! An error as the user reads it.

use std::borrow::Cow;
use std::fmt;

use crate::Errno;

/// Which of the three ways not to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// isol failed or refused: exit status 125.
    Refused,
    /// The program is there and could not be executed: 126.
    NotExecutable,
    /// The program, or something that it can't start without, is not in the root: 127.
    NotFound,
}

impl Kind {
    /// The exit status of the command.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Kind::Refused => 125,
            Kind::NotExecutable => 126,
            Kind::NotFound => 127,
        }
    }
}

/// What failed, why, and the command that mends it.
///
/// ```
/// use isol_core::Problem;
/// let p = Problem::new("root-directory", "/srv is not owned by root", "its owner is uid 7")
///     .help("chown root /srv");
/// assert_eq!(p.to_string(), "root-directory: /srv is not owned by root: its owner is uid 7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The step, or the part of the command line.
    pub step: Cow<'static, str>,
    /// What failed.
    pub what: String,
    /// Why.
    pub why: String,
    /// The errno behind it, if a system call failed.
    pub errno: Option<Errno>,
    /// What to do, preferably as a command.
    pub help: Option<String>,
    /// The exit status that it leads to.
    pub kind: Kind,
}

impl Problem {
    /// A refusal.
    pub fn new(
        step: impl Into<Cow<'static, str>>,
        what: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            step: step.into(),
            what: what.into(),
            why: why.into(),
            errno: None,
            help: None,
            kind: Kind::Refused,
        }
    }

    /// A system call that failed: the reason is the errno's own words.
    pub fn call(step: impl Into<Cow<'static, str>>, what: impl Into<String>, errno: Errno) -> Self {
        Self { errno: Some(errno), ..Self::new(step, what, errno.message()) }
    }

    /// An input or output error.
    pub fn io(
        step: impl Into<Cow<'static, str>>,
        what: impl Into<String>,
        error: &std::io::Error,
    ) -> Self {
        match error.raw_os_error() {
            Some(errno) => Self::call(step, what, Errno(errno)),
            None => Self::new(step, what, error.to_string()),
        }
    }

    /// Says what mends it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says which exit status it leads to.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.what)?;
        if self.why.is_empty() { Ok(()) } else { write!(f, ": {}", self.why) }
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.errno.as_ref().map(|e| e as _)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = s.serialize_struct("Problem", 5)?;
        fields.serialize_field("step", &self.step)?;
        fields.serialize_field("what", &self.what)?;
        fields.serialize_field("why", &self.why)?;
        fields.serialize_field("errno", &self.errno.map(|e| e.0))?;
        fields.serialize_field("help", &self.help)?;
        fields.end()
    }
}
