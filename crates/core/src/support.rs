//! What a backend says of a guarantee.

/// Whether a backend can hold a guarantee on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// It does, in every run.
    Held,
    /// It does where the policy asks for it; this says what asking for it costs or needs.
    OnRequest(String),
    /// It can't; this says why.
    NotOffered(String),
}

impl Support {
    /// Shorthand for [`Support::NotOffered`].
    pub fn not_offered(reason: impl Into<String>) -> Self {
        Self::NotOffered(reason.into())
    }

    /// Whether a policy may require it.
    #[must_use]
    pub const fn is_offered(&self) -> bool {
        !matches!(self, Self::NotOffered(_))
    }

    /// The words beside it; empty for [`Support::Held`].
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Held => "",
            Self::OnRequest(reason) | Self::NotOffered(reason) => reason,
        }
    }
}
