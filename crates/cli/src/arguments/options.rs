//! What `run` and `plan` take.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// What `run` and `plan` have in common.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) often: Often,
    #[command(flatten, next_help_heading = "More options")]
    pub(crate) seldom: Seldom,
}

/// Those that most runs need.
#[derive(Debug, Args)]
pub(crate) struct Often {
    /// auto, or a name that `isol backends` shows
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub(crate) backend: String,
    /// The directory to confine the program to; without it, a throw-away root is made that
    /// holds the program and all that it loads
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// USER|UID[:GROUP|GID], looked up on the host; `auto`, the default, is an unused uid,
    /// held while the program runs
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Set an environment variable; the environment is empty but for those that are named
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<OsString>,
    /// none, host, or the addresses of the host's that can be used [default: host]
    #[arg(long, value_name = "none|host|ADDR,...")]
    pub(crate) network: Option<String>,
    /// Which system calls are refused inside: `default`, or `default+RULE+...` without these rules of
    /// it; `none`; or a filter of your own, as JSON or compiled; Linux only [default: default]
    #[arg(long, value_name = "default[+RULE]|none|FILE")]
    pub(crate) seccomp: Option<String>,
    /// Refuse to run without these guarantees
    #[arg(long, value_name = "GUARANTEE,...", value_delimiter = ',')]
    pub(crate) require: Vec<String>,
    /// Give up a guarantee: root-user, superuser, root-group, shared-uid, terminal, scheduling,
    /// host-pids, loader-environment
    #[arg(long, value_name = "WHAT,...", value_delimiter = ',')]
    pub(crate) allow: Vec<String>,
    /// Print JSON, errors too
    #[arg(long)]
    pub(crate) json: bool,
}

/// Those that most runs do without.
#[derive(Debug, Default, Args)]
pub(crate) struct Seldom {
    /// Put a file or directory of the host into the throw-away root, at its own path
    #[arg(long, value_name = "PATH")]
    pub(crate) add: Vec<PathBuf>,
    /// The supplementary groups; without it, none
    #[arg(long, value_name = "GROUP,...", value_delimiter = ',')]
    pub(crate) groups: Vec<String>,
    /// Where the program starts, inside the root [default: /]
    #[arg(long, value_name = "DIR")]
    pub(crate) workdir: Option<PathBuf>,
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
    /// A host name of its own, where the backend gives it one
    #[arg(long, value_name = "NAME")]
    pub(crate) hostname: Option<String>,
    /// Mount a file or directory of the host's in the root; not on chroot
    #[arg(long, value_name = "SRC[:DST][:ro]")]
    pub(crate) bind: Vec<String>,
    /// Mount a new, empty file system of this many bytes in the root; not on chroot
    #[arg(long, value_name = "DIR[:SIZE]")]
    pub(crate) tmpfs: Vec<String>,
    /// Have the root be read-only; not on chroot
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Have messages to syslog from inside arrive: at the host's syslogd, or at this datagram socket
    #[arg(long, value_name = "SOCKET", num_args = 0..=1, require_equals = true)]
    pub(crate) syslog: Option<Option<PathBuf>>,
    /// What the jail is called [default: isol-PID-N]; jail only
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// A parameter of jail(8)'s for which there is no other option; jail only
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(crate) jail_param: Vec<String>,
    /// Confine by Landlock too: files, write=PATH, signals, sockets, bind=PORT|none,
    /// connect=PORT|none; Linux only
    #[arg(long, value_name = "WHAT,...", value_delimiter = ',')]
    pub(crate) landlock: Vec<String>,
    /// Read these options from a TOML file, the long names as keys; the command line wins
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
}
