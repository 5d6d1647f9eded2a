//! What turns a policy into a plan.

use crate::{Guarantee, GuaranteeSet, Os, Phase, PlanError, Policy, Request, Step, Support};

/// A way to isolate: chroot(2), jail(2), namespaces.
pub trait Backend: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// The operating system that plans are made for when this one is `host`: the
    /// host itself where the backend runs on it, else the one it is for.
    fn plans_for(&self, host: Os) -> Os;

    /// Whether it can be run here and now.
    ///
    /// # Errors
    /// [`Unavailable`] says why not.
    fn available(&self) -> Result<(), Unavailable>;

    /// Whether it holds a guarantee on an operating system.
    fn support(&self, guarantee: Guarantee, os: Os) -> Support;

    /// Whether the root is entered through its descriptor, by fchdir(2) and chroot(".") or the like. A backend whose
    /// kernel resolves the root's path itself compares what it got with what was checked.
    fn enters_by_descriptor(&self) -> bool {
        true
    }

    /// Whether somebody has to stay as the program's parent, outside: then who has a choice spawns it.
    fn stays_outside(&self, policy: &Policy) -> bool {
        let _ = policy;
        false
    }

    /// Whether programs run here as whoever calls, an ordinary user: there is no privilege to become anybody else.
    fn runs_as_caller(&self) -> bool {
        false
    }

    /// The Linux capabilities that uid 0 keeps inside with [`Allow::Superuser`](crate::Allow::Superuser), as bits; none but
    /// where it is root of its own user namespace.
    fn capabilities_of_root(&self) -> u64 {
        0
    }

    /// The steps that are its own.
    ///
    /// # Errors
    /// What of the policy it can't do.
    fn layers(&self, request: &Request<'_>) -> Result<Layers, PlanError>;
}

/// Why a backend can't be run here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The steps that a backend adds to those that every plan has.
///
/// It can't add to [`Phase::Drop`] and [`Phase::Verify`]: those the assembler
/// writes, so that no backend can misorder or forget them.
///
/// ```should_panic
/// # use isol_core::*;
/// # #[derive(Debug)] struct Mine;
/// # impl Step for Mine {
/// #     fn name(&self) -> &'static str { "mine" }
/// #     fn phase(&self) -> Phase { Phase::Drop }
/// #     fn explains(&self) -> String { String::new() }
/// #     fn calls(&self) -> &'static [&'static str] { &[] }
/// #     fn establishes(&self) -> &'static [Guarantee] { &[] }
/// # }
/// Layers::default().with(Mine); // a step of the Drop phase: panics
/// ```
#[derive(Debug, Default)]
pub struct Layers {
    steps: Vec<Box<dyn Step>>,
    given_up: Vec<(String, GuaranteeSet)>,
}

impl Layers {
    /// Adds a step behind those of its phase.
    ///
    /// # Panics
    /// If the step is of a phase that is not a backend's: a mistake in the backend.
    #[must_use]
    pub fn with(mut self, step: impl Step + 'static) -> Self {
        assert!(
            matches!(step.phase(), Phase::Prepare | Phase::Enter | Phase::Seal),
            "{} is of the {} phase, which is the assembler's",
            step.name(),
            step.phase()
        );
        self.steps.push(Box::new(step));
        self
    }

    /// Gives guarantees up because of something in the policy that only the backend understands. `what` is that, as
    /// the user has written it.
    #[must_use]
    pub fn giving_up(mut self, what: String, guarantees: GuaranteeSet) -> Self {
        if !guarantees.is_empty() {
            self.given_up.push((what, guarantees));
        }
        self
    }

    /// What is given up, each with what it is given up for.
    #[must_use]
    pub fn given_up(&self) -> &[(String, GuaranteeSet)] {
        &self.given_up
    }

    /// Takes out the steps of one phase, in their order.
    pub fn take(&mut self, phase: Phase) -> Vec<Box<dyn Step>> {
        self.steps.extract_if(.., |step| step.phase() == phase).collect()
    }
}
