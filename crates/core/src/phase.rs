//! The phases of a plan.

use std::fmt;

/// When a step runs. Plans are sorted by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// In the parent, before anything is given up: the only phase with an undo.
    Prepare,
    /// The process leaves its old surroundings.
    Enter,
    /// It gives up its identity and privileges.
    Drop,
    /// The kernel's state is read back and compared.
    Verify,
    /// What can only be shut behind everything else.
    Seal,
}

impl Phase {
    /// The name that plans print.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Phase::Prepare => "prepare",
            Phase::Enter => "enter",
            Phase::Drop => "drop",
            Phase::Verify => "verify",
            Phase::Seal => "seal",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}
