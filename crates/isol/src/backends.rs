//! The backends of this build, in the order in which `auto` tries them. The one
//! place where the operating system decides which there are.

use isol_core::{Backend, Os, PlanError, Policy, Problem, Support};
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
    /// The first one that offers every guarantee that the policy requires, and does what it asks for.
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

/// Whether a backend offers every guarantee that the policy requires, and does what it asks for.
pub(crate) fn offers(backend: &dyn Backend, policy: &Policy) -> bool {
    lacking(backend, policy).is_none()
}

/// Why none of the other backends of this system can be taken, in words.
pub(crate) fn others_lack(name: &str, policy: &Policy) -> Vec<String> {
    let others = all().iter().filter(|b| b.name() != name && b.plans_for(HOST) == HOST);
    others
        .filter_map(|&backend| {
            lacking(backend, policy).or_else(|| {
                let reason = backend.available().err()?.reason;
                Some(format!("{} can't be run: {reason}", backend.name()))
            })
        })
        .collect()
}

/// What a backend lacks of what is required or asked for, in words.
pub(crate) fn lacking(backend: &dyn Backend, policy: &Policy) -> Option<String> {
    if backend.runs_as_caller()
        && let Err(error) = crate::identity::caller(policy)
    {
        let Problem { what, why, .. } = error.problem();
        return Some(if why.is_empty() { what } else { format!("{what}: {why}") });
    }
    let os: Os = backend.plans_for(HOST);
    // What an option takes is what the guarantee takes that it is there for.
    let asked = policy.asks_for(crate::identity::is_root(policy)).into_iter();
    let asked = asked.map(|(what, guarantee)| (guarantee, format!(", which {what} takes")));
    let required = policy.require.iter().map(|guarantee| (guarantee, String::new()));
    let lacks: Vec<_> = required
        .chain(asked)
        .filter_map(|(guarantee, what)| match backend.support(guarantee, os) {
            Support::NotOffered(reason) => Some(format!("{guarantee}{what} ({reason})")),
            Support::Held | Support::OnRequest(_) => None,
        })
        .collect();
    if lacks.is_empty() {
        None
    } else {
        Some(format!("{} lacks {}", backend.name(), lacks.join(", ")))
    }
}
