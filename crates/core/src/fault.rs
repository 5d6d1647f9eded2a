//! What a step says when it fails where nothing may be allocated.

use crate::{Errno, Text};

/// A step that could not be done, or whose effect was not there when it was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What the system call answered; 0 where a comparison failed.
    pub errno: Errno,
    /// What was being done, or what was found instead.
    pub text: Text,
}

impl Fault {
    /// A system call that failed.
    #[must_use]
    pub fn call(errno: Errno, what: &str) -> Self {
        Self { errno, text: Text::from(what) }
    }

    /// A state that is not what it should be.
    #[must_use]
    pub fn state(what: &str) -> Self {
        Self { errno: Errno(0), text: Text::from(what) }
    }

    /// A state that is not what it should be, with the number that was found.
    #[must_use]
    pub fn found(what: &str, number: u64) -> Self {
        let mut fault = Self::state(what);
        fault.text.push_number(number);
        fault
    }
}

/// A fault and the index, in the plan, of the step that it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Index in the plan's steps.
    pub step: u16,
    /// What went wrong.
    pub fault: Fault,
}
