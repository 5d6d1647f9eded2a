//! Everything is read back.

use isol_core::{Guarantee, Phase, Step, step_names};

/// The place in the plan at which `Prepared::apply` has every step before it look
/// whether its effect is there.
#[derive(Debug)]
pub(crate) struct ReadBack;

impl Step for ReadBack {
    fn name(&self) -> &'static str {
        step_names::READ_BACK
    }

    fn phase(&self) -> Phase {
        Phase::Verify
    }

    fn explains(&self) -> String {
        "read the kernel's state back, step by step, and end here if any of it is not as it was set"
            .into()
    }

    fn calls(&self) -> &'static [&'static str] {
        &[
            "getresuid",
            "getresgid",
            "getgroups",
            "capget",
            "prctl",
            "stat",
            "getcwd",
            "poll",
            "pselect6",
        ]
    }

    fn establishes(&self) -> &'static [Guarantee] {
        &[]
    }
}
