//! The backends of this build, in the order in which `auto` tries them. The one
//! place where the operating system decides which there are.

use isol_core::{Backend, Os, PlanError, Policy, Support};
use isol_sys::os::HOST;

cfg_if::cfg_if! {
    if #[cfg(target_os = "freebsd")] {
        static BACKENDS: &[&dyn Backend] =
            &[&isol_jail::Jail, &isol_chroot::Chroot, &isol_namespaces::Namespaces];
    } else {
        // Plans for another system can be looked at everywhere.
        static BACKENDS: &[&dyn Backend] =
            &[&isol_chroot::Chroot, &isol_namespaces::Namespaces, &isol_jail::Jail];
    }
}

/// Every backend, in the order in which [`Choice::Auto`] tries them.
#[must_use]
pub fn all() -> &'static [&'static dyn Backend] {
    BACKENDS
}

/// A backend by its name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Backend> {
    all().iter().copied().find(|b| b.name() == name)
}

/// Which backend to take.
#[derive(Clone, Copy, Default)]
pub enum Choice {
    /// The first one that offers every guarantee that the policy requires.
    #[default]
    Auto,
    /// This one.
    Backend(&'static dyn Backend),
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Choice::Auto => f.write_str("Auto"),
            Choice::Backend(backend) => f.write_str(backend.name()),
        }
    }
}

impl Choice {
    pub(crate) fn make(self, policy: &Policy) -> Result<&'static dyn Backend, PlanError> {
        if let Choice::Backend(backend) = self {
            return Ok(backend);
        }
        let mut reasons = Vec::new();
        let here = all().iter().filter(|backend| backend.plans_for(HOST) == HOST);
        // One that can't be run now is taken only if no other one can be.
        let mut cannot = None;
        for &backend in here {
            match lacking(backend, policy) {
                None if backend.available().is_ok() => return Ok(backend),
                None => cannot = cannot.or(Some(backend)),
                Some(lacks) => reasons.push(lacks),
            }
        }
        cannot.ok_or(PlanError::NoBackend { reasons })
    }
}

/// Whether a backend offers every guarantee that the policy requires.
pub(crate) fn offers(backend: &dyn Backend, policy: &Policy) -> bool {
    lacking(backend, policy).is_none()
}

/// What a backend lacks of what is required, in words.
pub(crate) fn lacking(backend: &dyn Backend, policy: &Policy) -> Option<String> {
    if backend.runs_as_caller()
        && let Err(error) = crate::identity::caller(policy)
    {
        return Some(format!("{}: {}", backend.name(), error.problem()));
    }
    let os: Os = backend.plans_for(HOST);
    let lacks: Vec<_> = policy
        .require
        .iter()
        .filter_map(|guarantee| match backend.support(guarantee, os) {
            Support::NotOffered(reason) => Some(format!("{guarantee} ({reason})")),
            Support::Held | Support::OnRequest(_) => None,
        })
        .collect();
    if lacks.is_empty() {
        None
    } else {
        Some(format!("{} lacks {}", backend.name(), lacks.join(", ")))
    }
}
