//! What a cell of the matrix says.

use isol_core::{Guarantee, Mode};
use serde::{Serialize, Serializer};

/// Whether a guarantee held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every attack failed.
    Held,
    /// An attack got through, or could not be made though the guarantee is offered.
    Violated,
    /// The backend does not claim it.
    NotOffered,
}

impl Verdict {
    /// The name in JSON and tables.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Verdict::Held => "held",
            Verdict::Violated => "violated",
            Verdict::NotOffered => "not-offered",
        }
    }
}

/// A cell of the matrix.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The backend's name, or another subject's.
    pub backend: String,
    /// The mode.
    #[serde(serialize_with = "mode")]
    pub mode: Mode,
    /// The guarantee.
    pub guarantee: Guarantee,
    /// Whether it held.
    pub verdict: Verdict,
    /// Why it is not offered.
    pub reason: String,
    /// What the attacks saw: the breaches, or how many attacks failed.
    pub evidence: Vec<String>,
    /// Whether the backend claims too little: it does not offer this, and every attack failed.
    #[serde(skip)]
    pub claims_too_little: bool,
}

fn mode<S: Serializer>(mode: &Mode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(mode.id())
}
