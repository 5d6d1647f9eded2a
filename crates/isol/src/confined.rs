//! What is really in force.

use isol_core::{Guarantee, GuaranteeSet, Plan};

/// The report of an isolation that is in force: what holds, what was given up, what
/// the backend can't hold. Look at it.
#[derive(Clone, Debug)]
#[must_use = "this says what is really in force"]
pub struct Confined {
    backend: &'static str,
    guarantees: GuaranteeSet,
    relaxed: GuaranteeSet,
    not_held: Vec<(Guarantee, String)>,
    notes: Vec<String>,
}

impl Confined {
    pub(crate) fn new(plan: &Plan, notes: &[String]) -> Self {
        let backend = plan.backend();
        let reason = |guarantee| {
            crate::backends::by_name(backend)
                .map(|b| b.support(guarantee, plan.os()).reason().to_owned())
                .unwrap_or_default()
        };
        let held = plan.guarantees().union(plan.relaxed());
        let not_held = Guarantee::ALL
            .into_iter()
            .filter(|&g| !held.contains(g))
            .map(|g| (g, reason(g)))
            .collect();
        Self {
            backend,
            guarantees: plan.guarantees(),
            relaxed: plan.relaxed(),
            not_held,
            notes: notes.to_owned(),
        }
    }

    /// Whether a guarantee holds.
    #[must_use]
    pub fn holds(&self, guarantee: Guarantee) -> bool {
        self.guarantees.contains(guarantee)
    }

    /// The backend.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// What holds.
    #[must_use]
    pub fn guarantees(&self) -> GuaranteeSet {
        self.guarantees
    }

    /// What the policy has given up.
    #[must_use]
    pub fn relaxed(&self) -> GuaranteeSet {
        self.relaxed
    }

    /// What neither holds nor was given up, and why.
    #[must_use]
    pub fn not_held(&self) -> &[(Guarantee, String)] {
        &self.not_held
    }

    /// What could not be done though it stops nothing.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}
