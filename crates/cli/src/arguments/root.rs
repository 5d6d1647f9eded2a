//! `isol root`.

mod build;

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    /// Compare a tree with its manifest
    ///
    /// Exit status: 0 when they are the same; 1 when they differ; 125 when nobody can tell.
    Verify(RootDir),
    /// Bring in what the host has in another version, and say what
    ///
    /// Exit status: 0 when the tree is up to date; 1 when something was left because it has been
    /// changed in the tree; 125 when nothing was done.
    Update(RootDir),
    /// Say what keeps a program from running in a root, and what mends it
    ///
    /// Exit status: 0 when nothing was found; 1 when something was; 125 when nobody can tell.
    Diagnose(RootDiagnose),
    /// Show what is kept of throw-away roots for the next run of the same program
    Cache(RootCache),
}

impl Root {
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Build(build) => build.json,
            Self::Add(add) => add.json,
            Self::Verify(dir) | Self::Update(dir) => dir.json,
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
pub(crate) struct RootDir {
    /// The tree
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Print JSON, errors too
    #[arg(long)]
    pub(crate) json: bool,
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
