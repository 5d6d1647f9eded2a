//! The command line.

mod few;
mod later;
mod options;
mod prove;
mod root;

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub(crate) use later::Later;
pub(crate) use options::Options;
pub(crate) use prove::Prove;
pub(crate) use root::{
    Root, RootAdd, RootAudit, RootBuild, RootCache, RootDiagnose, RootDir, RootRemove,
};

/// Isolate a program: chroot(2), jail(2) and namespaces behind one policy.
#[derive(Debug, Parser)]
#[command(name = "isol", version, max_term_width = 100, subcommand_required = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Isolate a program and run it
    ///
    /// Exit status: the program's own; 128+N when signal N ended it; 125 when isol failed or
    /// refused; 126 when the program could not be executed; 127 when it, or what it can't start
    /// without, is not in the root.
    Run(Later<Run>),
    /// Print the steps and the guarantees; run nothing, need no privilege
    Plan(Later<Plan>),
    /// Show which backends are built in, and what each one offers here
    Backends(Backends),
    /// Attack what the backends promise here, from inside, and say what held
    ///
    /// Exit status: 0 when no guarantee that is offered is violated; 1 when one is; 125 when nothing
    /// could be proved. Takes root.
    Prove(Later<Prove>),
    /// Make root trees, and look after them
    #[command(subcommand)]
    Root(Later<Root>),
    /// Print what completes isol's words in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print a manual page, of isol or of one of its commands
    ///
    /// Read it with `isol man | man -l -`.
    Man {
        /// The command, as in `run` or `root add`
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// What isol starts of itself for `isol prove`
    #[command(name = isol_prove::agent::WORD, hide = true)]
    Agent {
        /// What to be
        #[arg(trailing_var_arg = true)]
        words: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) how: How,
    #[command(flatten)]
    pub(crate) program: Program,
}

/// What only `run` takes.
#[derive(Debug, Args)]
pub(crate) struct How {
    /// End the program after this time: SIGTERM, and five seconds later SIGKILL
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Say on standard error what is in force
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) options: Options,
    /// Plan for a run with a time limit
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) program: Program,
}

#[derive(Debug, Args)]
pub(crate) struct Backends {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Program {
    /// The program, as seen from inside the root, and its arguments
    #[arg(required = true, last = true, value_name = "PROGRAM [ARG]...")]
    pub(crate) words: Vec<OsString>,
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let bad = || "a time in seconds, such as 30 or 0.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| bad())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|d| !d.is_zero()).ok_or_else(bad)
}
