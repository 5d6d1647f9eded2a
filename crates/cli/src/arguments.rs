//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

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
    Run(Run),
    /// Print the steps and the guarantees; run nothing, need no privilege
    Plan(Plan),
    /// Show which backends are built in, and what each one offers here
    Backends(Backends),
    /// Attack what the backends promise here, from inside, and say what held
    ///
    /// Exit status: 0 when no guarantee that is offered is violated; 1 when one is; 125 when nothing
    /// could be proved. Takes root.
    Prove(Prove),
    /// Make root trees
    #[command(subcommand)]
    Root(Root),
    /// What isol starts of itself for `isol prove`
    #[command(name = isol_prove::agent::WORD, hide = true)]
    Agent {
        /// What to be
        #[arg(trailing_var_arg = true)]
        words: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// This backend only
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// These guarantees only
    #[arg(long, value_name = "GUARANTEE,...", value_delimiter = ',')]
    pub(crate) guarantee: Vec<String>,
    /// These modes only: enter, exec, spawn
    #[arg(long, value_name = "MODE,...", value_delimiter = ',')]
    pub(crate) mode: Vec<String>,
    /// Leave a step out of the plan, to see what it is there for
    #[arg(long, value_name = "STEP", conflicts_with_all = ["mutations", "faults"])]
    pub(crate) without: Vec<String>,
    /// Leave each step out in turn; each one has to be missed
    #[arg(long, conflicts_with_all = ["faults", "guarantee", "mode"])]
    pub(crate) mutations: bool,
    /// Make each step fail with each errno; nothing may start, nothing may stay behind
    #[arg(long, conflicts_with_all = ["guarantee", "mode"])]
    pub(crate) faults: bool,
    /// Print JSON, errors too
    #[arg(long)]
    pub(crate) json: bool,
}

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

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) options: Options,
    /// End the program after this time: SIGTERM, and five seconds later SIGKILL
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Say on standard error what is in force
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) program: Program,
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

/// What `run` and `plan` have in common.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// auto, or a name that `isol backends` shows
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub(crate) backend: String,
    /// The directory to confine the program to; without it, a throw-away root is made that
    /// holds the program and all that it loads
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Put a file or directory of the host into the throw-away root, at its own path
    #[arg(long, value_name = "PATH")]
    pub(crate) add: Vec<PathBuf>,
    /// USER|UID[:GROUP|GID], looked up on the host; `auto`, the default, is an unused uid,
    /// held while the program runs
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// The supplementary groups; without it, none
    #[arg(long, value_name = "GROUP,...", value_delimiter = ',')]
    pub(crate) groups: Vec<String>,
    /// Where the program starts, inside the root [default: /]
    #[arg(long, value_name = "DIR")]
    pub(crate) workdir: Option<PathBuf>,
    /// Set an environment variable; the environment is empty but for those that are named
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<OsString>,
    /// Take an environment variable over from the caller
    #[arg(long, value_name = "NAME")]
    pub(crate) keep_env: Vec<String>,
    /// Pass an open descriptor on, under its own number
    #[arg(long, value_name = "N")]
    pub(crate) pass_fd: Vec<i32>,
    /// Set a resource limit, as in nofile=64:128; core is 0 unless it is named
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    pub(crate) limit: Vec<String>,
    /// The umask [default: 022]
    #[arg(long, value_name = "OCTAL")]
    pub(crate) umask: Option<String>,
    /// none, host, or the addresses of the host's that can be used [default: host]
    #[arg(long, value_name = "none|host|ADDR,...")]
    pub(crate) network: Option<String>,
    /// A host name of its own, where the backend gives it one
    #[arg(long, value_name = "NAME")]
    pub(crate) hostname: Option<String>,
    /// What the jail is called [default: isol-PID-N]; jail only
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// A parameter of jail(8)'s for which there is no other option; jail only
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(crate) jail_param: Vec<String>,
    /// Refuse to run without these guarantees
    #[arg(long, value_name = "GUARANTEE,...", value_delimiter = ',')]
    pub(crate) require: Vec<String>,
    /// Give up a guarantee: root-user, root-group, shared-uid, terminal, scheduling,
    /// loader-environment
    #[arg(long, value_name = "WHAT,...", value_delimiter = ',')]
    pub(crate) allow: Vec<String>,
    /// Read these options from a TOML file, the long names as keys; the command line wins
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Print JSON, errors too
    #[arg(long)]
    pub(crate) json: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let bad = || "a time in seconds, such as 30 or 0.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| bad())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|d| !d.is_zero()).ok_or_else(bad)
}
