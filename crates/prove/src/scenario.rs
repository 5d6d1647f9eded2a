//! What a caller is told to do.

use std::path::{Path, PathBuf};

use isol_core::{Errno, Guarantee, Mode};
use serde::{Deserialize, Serialize};

/// What a caller is told to do: get itself into a bad state, and isolate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Scenario {
    pub(crate) how: How,
    /// isol's executable, at the same path on the host and in the root.
    pub(crate) executable: PathBuf,
    pub(crate) root: PathBuf,
    pub(crate) user: Who,
    pub(crate) groups: Vec<u32>,
    pub(crate) require: Vec<Guarantee>,
    /// What the policy allows, by name.
    pub(crate) allow: Vec<String>,
    /// What Landlock confines, in words.
    pub(crate) landlock: Vec<String>,
    /// Whether no system call is filtered.
    pub(crate) unfiltered: bool,
    /// Whether something of the host's is mounted in the root, and something new, and the root can't be written to.
    pub(crate) mounts: bool,
    /// What is bound, in words.
    pub(crate) binds: Vec<String>,
    pub(crate) network_off: bool,
    pub(crate) hostname: Option<String>,
    /// Where messages to syslog are to be relayed, if they are.
    pub(crate) syslog: Option<PathBuf>,
    /// Where the caller is, and where its leaked descriptors lead.
    pub(crate) outside: PathBuf,
    /// Whether the caller gets into a bad state first.
    pub(crate) bad_caller: bool,
    /// Steps that the plan lacks.
    pub(crate) without: Vec<String>,
    /// A step whose calls do nothing, and say that they did.
    pub(crate) lying: Option<String>,
    pub(crate) fault: Option<FaultAt>,
}

impl Scenario {
    /// The root is somewhere else.
    pub(crate) fn moved_to(&mut self, root: &Path) {
        if let How::Tool { words } = &mut self.how {
            let from = self.root.display().to_string();
            for word in words.iter_mut() {
                *word = word.replace(&from, &root.display().to_string());
            }
        }
        self.root = root.to_owned();
    }
}

/// Who isolates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum How {
    /// isol.
    Isol { backend: String, mode: ModeName },
    /// Nobody: the attacker is the caller itself.
    Unisolated,
    /// Nobody, but as the target uid, gid and groups.
    UidOnly,
    /// Another tool, by this command line; the attacker is what it runs.
    Tool { words: Vec<String> },
}

/// As whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Who {
    Id(u32),
    Name(String),
    /// A uid that isol allots, in a root that it makes.
    Allotted,
}

/// A mode that can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ModeName {
    Enter,
    Exec,
    Spawn,
}

impl From<Mode> for ModeName {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Enter => Self::Enter,
            Mode::Exec => Self::Exec,
            Mode::Spawn => Self::Spawn,
        }
    }
}

impl From<ModeName> for Mode {
    fn from(mode: ModeName) -> Self {
        match mode {
            ModeName::Enter => Self::Enter,
            ModeName::Exec => Self::Exec,
            ModeName::Spawn => Self::Spawn,
        }
    }
}

/// A step that is made to fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FaultAt {
    pub(crate) step: String,
    pub(crate) point: Point,
    pub(crate) errno: i32,
}

impl FaultAt {
    pub(crate) fn errno(&self) -> Errno {
        Errno(self.errno)
    }
}

/// Which part of a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Point {
    Prepare,
    Apply,
    Verify,
}
