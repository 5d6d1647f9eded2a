//! `isol root`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Root {
    /// Put programs of the host, with all that they load, and other files into a root
    ///
    /// What is there already is never overwritten.
    Add(RootAdd),
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
