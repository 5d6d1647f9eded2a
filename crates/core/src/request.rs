//! What a backend is asked to plan.

use crate::{Command, Identity, Mode, Os, Policy};

/// A policy with everything resolved that can be before planning.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What the user wants.
    pub policy: &'a Policy,
    /// As whom, in numbers.
    pub identity: &'a Identity,
    /// How the plan is to be carried out.
    pub mode: Mode,
    /// What is to be run; `None` for [`Mode::Enter`].
    pub command: Option<&'a Command>,
    /// The operating system to plan for.
    pub os: Os,
}

impl Request<'_> {
    /// Whether the program is uid 0 and keeps what powers a superuser has inside.
    #[must_use]
    pub fn is_superuser(&self) -> bool {
        self.identity.is_root() && self.policy.allow.contains(crate::Allow::Superuser)
    }
}
