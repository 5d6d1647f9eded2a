//! `isol root`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use isol_root::audit::What;

#[derive(Debug, Subcommand)]
pub(crate) enum Root {
    /// Put programs of the host, with all that they load, and other files into a root
    ///
    /// What is there already is never overwritten.
    Add(RootAdd),
    /// Look at the whole of a root, and at the directories above it, for what an attacker could use
    ///
    /// Exit status: 0 when nothing was found, or all of it was mended; 1 when something was; 125 when the root could not be
    /// looked at.
    Audit(RootAudit),
}

impl Root {
    /// Whether errors are to be told as JSON.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Add(add) => add.json,
            Self::Audit(audit) => audit.json,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RootAdd {
    /// The root
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Each is put at its own path
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print errors as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RootAudit {
    /// The root
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Who is to run in it: look at the user's processes, System V objects, cron and at entries, too
    #[arg(long, value_name = "USER|UID[:GROUP|GID]")]
    pub(crate) user: Option<String>,
    /// Look for the user's files outside the root, too; this walks the whole host
    #[arg(long, requires = "user")]
    pub(crate) host_files: bool,
    /// Go into what is mounted in the root, too
    #[arg(long)]
    pub(crate) cross_mounts: bool,
    /// A device of the host's whose like may be in the root; may be given again
    #[arg(long, value_name = "PATH")]
    pub(crate) device: Vec<PathBuf>,
    /// What not to tell, by the names that are printed; may be given again
    #[arg(long, value_name = "WHAT,...", value_delimiter = ',', value_parser = what())]
    pub(crate) ignore: Vec<What>,
    /// Take away what permissions can be taken away; nothing is removed
    #[arg(long)]
    pub(crate) fix: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn what() -> impl TypedValueParser<Value = What> {
    PossibleValuesParser::new(What::ALL.iter().map(|what| what.id())).map(|id| {
        // One of these, or it would have been refused.
        What::ALL.iter().copied().find(|what| what.id() == id).unwrap_or(What::Unread)
    })
}
