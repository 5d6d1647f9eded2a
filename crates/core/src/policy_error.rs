//! Why a policy is none.

use std::path::PathBuf;

use crate::{Allow, MountError, Problem};

/// What is wrong with a policy, seen before anything is looked at on the host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The root is `/` itself.
    #[error("the root is /: that isolates from nothing")]
    RootIsSlash,
    /// The root is not an absolute path.
    #[error("the root {} is not an absolute path", .0.display())]
    RootRelative(PathBuf),
    /// The root has a `..` in it.
    #[error("the root {} has `..` in it: name the directory itself", .0.display())]
    RootDotDot(PathBuf),
    /// The working directory is not an absolute path.
    #[error("the working directory {} is not an absolute path (it is one inside the root)", .0.display())]
    WorkdirRelative(PathBuf),
    /// A NUL byte where the kernel takes none.
    #[error("{0} has a NUL byte in it")]
    Nul(&'static str),
    /// An environment variable without a name, or with `=` in its name.
    #[error("`{0}` is no name of an environment variable")]
    VariableName(String),
    /// A variable that the loader obeys.
    #[error("the loader obeys the environment variable {0}")]
    LoaderVariable(String),
    /// A descriptor below 3.
    #[error(
        "descriptor {0} can't be passed by number: 0, 1 and 2 always are, negative ones are none"
    )]
    PassDescriptor(i32),
    /// A umask above 0777.
    #[error("umask {0:o} is above 777")]
    Umask(u32),
    /// uid 0 without leave.
    #[error("uid 0 would run inside")]
    RootUser,
    /// The superuser's powers for whoever may not be uid 0.
    #[error("the superuser is uid 0, and that it may run inside is not said")]
    Superuser,
    /// gid 0 without leave.
    #[error("gid 0 would run inside")]
    RootGroup,
    /// An id that means 'no change' to the kernels.
    #[error("4294967295 is no id: the kernels read it as 'no change'")]
    NoChangeId,
    /// A host name that no kernel takes.
    #[error("`{0}` is no host name: 1 to 63 letters, digits, `-`, `.` or `_`")]
    Hostname(String),
    /// A mount that can't be.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// A path to which no socket can be bound.
    #[error("`{}` is no syslog socket: an absolute path of at most 103 bytes", .0.display())]
    SyslogSocket(PathBuf),
    /// A name that no jail can have.
    #[error(
        "`{0}` can't name a jail: 1 to 255 letters, digits, `-` or `_`, no `-` first, and not digits alone"
    )]
    Name(String),
}

impl PolicyError {
    /// As the user reads it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let problem = Problem::new("policy", self.to_string(), "");
        let help = match self {
            Self::RootIsSlash => {
                "make a tree to confine the program in, or leave --root out to have one made"
            }
            Self::RootUser => "name a user: --user NAME, or --user auto for an unused uid",
            Self::Superuser => "--allow root-user,superuser, or leave superuser out",
            Self::RootGroup => "name another group, or say --allow root-group",
            Self::LoaderVariable(_) => "leave it out, or say --allow loader-environment",
            Self::Mount(MountError::Twice { .. }) => "leave one out",
            Self::Name(_) => "a name such as web-1, or leave --name out to have one given",
            _ => return problem,
        };
        problem.help(help)
    }

    pub(crate) fn unless_allowed(self, allowed: bool) -> Result<(), Self> {
        if allowed { Ok(()) } else { Err(self) }
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        error.problem()
    }
}

/// The relaxation that would let the error pass.
impl PolicyError {
    /// The relaxation that would let it pass, if there is one.
    #[must_use]
    pub fn allowed_by(&self) -> Option<Allow> {
        match self {
            Self::RootUser => Some(Allow::RootUser),
            Self::RootGroup => Some(Allow::RootGroup),
            Self::LoaderVariable(_) => Some(Allow::LoaderEnvironment),
            _ => None,
        }
    }
}
