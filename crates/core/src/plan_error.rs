//! Why there is no plan.

use crate::{Guarantee, Kind, OrderError, PolicyError, Problem};

/// What stands between a policy and a plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The policy contradicts itself.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The host's database has no such user or group.
    #[error("no {what} is called `{name}`")]
    UnknownName {
        /// `user`, `primary group` or `group`.
        what: &'static str,
        /// What was given.
        name: String,
        /// The nearest name that there is.
        nearest: Option<String>,
    },
    /// The host's database could not be asked.
    #[error("the {what} `{name}` could not be looked up")]
    LookUp {
        /// `user`, `primary group` or `group`.
        what: &'static str,
        /// What was looked for.
        name: String,
        /// What the database answered.
        errno: crate::Errno,
    },
    /// A required guarantee that the backend can't hold.
    #[error("{backend} can't hold {guarantee}")]
    NotOffered {
        /// The backend.
        backend: &'static str,
        /// The guarantee.
        guarantee: Guarantee,
        /// Why.
        reason: String,
    },
    /// A guarantee that is both required and given up.
    #[error("{guarantee} is required, and {what} gives it up")]
    GivenUp {
        /// The guarantee.
        guarantee: Guarantee,
        /// What gives it up, as the user has written it.
        what: String,
    },
    /// No backend of this build holds all that is required.
    #[error("no backend here holds all that is required")]
    NoBackend {
        /// For each backend, what it lacks.
        reasons: Vec<String>,
    },
    /// An option that the backend has no way to honour.
    #[error("{backend} can't do {what}")]
    CantHonour {
        /// The backend.
        backend: &'static str,
        /// The option.
        what: String,
        /// Why.
        reason: String,
        /// What to do instead.
        help: Option<String>,
    },
    /// More groups than the kernel takes.
    #[error("{given} supplementary groups are more than the {max} that {os} takes")]
    TooManyGroups {
        /// How many were asked for.
        given: usize,
        /// How many are possible.
        max: usize,
        /// On which system.
        os: crate::Os,
    },
    /// The plan breaks an ordering rule: a defect of the backend.
    #[error(transparent)]
    Order(#[from] OrderError),
}

impl PlanError {
    /// As the user reads it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let problem = Problem::new("plan", self.to_string(), "");
        match self {
            Self::Policy(error) => error.problem(),
            Self::UnknownName { what, nearest, .. } => {
                let help = match nearest {
                    Some(name) if *what == "user" => format!("did you mean `--user {name}`?"),
                    Some(name) if *what == "group" => format!("did you mean `--groups {name}`?"),
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!(
                        "getent {} lists those that there are",
                        if *what == "user" { "passwd" } else { "group" }
                    ),
                };
                Problem { step: "identity".into(), ..problem }.help(help)
            }
            Self::LookUp { errno, .. } => Problem::call("identity", self.to_string(), *errno),
            Self::NotOffered { guarantee, reason, .. } => {
                Problem { why: reason.clone(), ..problem }
                    .help(format!("`isol backends` shows who offers {guarantee}"))
            }
            Self::GivenUp { guarantee, what } => {
                problem.help(format!("leave one out: --require {guarantee} or {what}"))
            }
            Self::NoBackend { reasons } => Problem { why: reasons.join("; "), ..problem }
                .help("`isol backends` shows what each one offers"),
            Self::CantHonour { reason, help, .. } => {
                Problem { why: reason.clone(), help: help.clone(), ..problem }
            }
            Self::TooManyGroups { .. } | Self::Order(_) => problem,
        }
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        let problem = error.problem();
        debug_assert_eq!(problem.kind, Kind::Refused);
        problem
    }
}
