//! `isol root`.

mod build;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use isol_root::audit::What;

pub(crate) use build::RootBuild;

#[derive(Debug, Subcommand)]
pub(crate) enum Root {
    /// Make a tree that holds programs, with all that they load, and what else they need
    ///
    /// It appears whole or not at all, with a manifest beside it.
    Build(RootBuild),
    /// Put programs of the host, with all that they load, and other files into a root
    ///
    /// All of it or nothing. What is there already is never overwritten.
    Add(RootAdd),
    /// Look at the whole of a root, and at the directories above it, for what an attacker could use
    ///
    /// Exit status: 0 when nothing was found, or all of it was mended; 1 when something was; 125 when the root could not be
    /// looked at.
    Audit(RootAudit),
    /// Compare a tree with its manifest
    ///
    /// Exit status: 0 when they are the same; 1 when they differ; 125 when nobody can tell.
    Verify(RootDir),
    /// Bring in what the host has in another version, and say what
    ///
    /// Exit status: 0 when the tree is up to date; 1 when something was left because it has been
    /// changed in the tree; 125 when nothing was done.
    Update(RootDir),
    /// Take paths, such as have gone from the host, out of what a tree is to hold; then as `update`
    ///
    /// Exit status: as of `update`.
    Remove(RootRemove),
    /// Say what keeps a program from running in a root, and what mends it
    ///
    /// Exit status: 0 when nothing was found; 1 when something was; 125 when nobody can tell.
    Diagnose(RootDiagnose),
    /// Show what is kept of throw-away roots for the next run of the same program
    Cache(RootCache),
}

impl Root {
    /// Whether errors are to be told as JSON.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Add(add) => add.json,
            Self::Audit(audit) => audit.json,
            Self::Build(build) => build.json,
            Self::Verify(dir) | Self::Update(dir) => dir.json,
            Self::Remove(remove) => remove.json,
            Self::Diagnose(diagnose) => diagnose.json,
            Self::Cache(cache) => cache.json,
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
pub(crate) struct RootRemove {
    /// The tree
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// As it was named to `build` or `add`, or a program's absolute path
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print JSON, errors too
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

#[derive(Debug, Args)]
pub(crate) struct RootDir {
    /// The tree
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Print JSON, errors too
    #[arg(long)]
    pub(crate) json: bool,
}

fn what() -> impl TypedValueParser<Value = What> {
    PossibleValuesParser::new(What::ALL.iter().map(|what| what.id())).map(|id| {
        // One of these, or it would have been refused.
        What::ALL.iter().copied().find(|what| what.id() == id).unwrap_or(What::Unread)
    })
}

#[derive(Debug, Args)]
pub(crate) struct RootDiagnose {
    /// The root
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The program, as seen from inside the root
    #[arg(value_name = "PROGRAM")]
    pub(crate) program: PathBuf,
    /// Who is to run it
    #[arg(long, value_name = "USER[:GROUP]")]
    pub(crate) user: Option<String>,
    /// Print JSON, errors too
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RootCache {
    /// Remove all of it
    #[arg(long)]
    pub(crate) clear: bool,
    /// Print JSON, errors too
    #[arg(long)]
    pub(crate) json: bool,
}
