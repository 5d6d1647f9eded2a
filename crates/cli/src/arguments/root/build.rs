//! `isol root build`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct RootBuild {
    /// The tree that is to be made
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// A program, by its path or its name; may be given again
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) program: Vec<PathBuf>,
    /// A file or directory, with what the programs and shared objects in it need; may be given again
    #[arg(long, value_name = "PATH")]
    pub(crate) add: Vec<PathBuf>,
    /// Devices: null, zero, full, random, urandom, tty
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) dev: Vec<String>,
    /// Configuration: users, hosts, resolv, localtime, ssl
    #[arg(long, value_name = "WHAT,...", value_delimiter = ',')]
    pub(crate) etc: Vec<String>,
    /// What the C library needs to look names of users and hosts up
    #[arg(long)]
    pub(crate) nss: bool,
    /// A locale, such as C.UTF-8; may be given again
    #[arg(long, value_name = "LOCALE")]
    pub(crate) locale: Vec<String>,
    /// A /tmp for everybody to write to
    #[arg(long)]
    pub(crate) tmp: bool,
    /// Who will run in it: known to `--etc users`, and the owner of `--writable`
    #[arg(long, value_name = "USER[:GROUP]")]
    pub(crate) user: Option<String>,
    /// A directory for the user to write to, and for nobody else; may be given again
    #[arg(long, value_name = "DIR", requires = "user")]
    pub(crate) writable: Vec<PathBuf>,
    /// Let set-id bits come along
    #[arg(long)]
    pub(crate) keep_set_id: bool,
    /// Let file capabilities come along
    #[arg(long)]
    pub(crate) keep_capabilities: bool,
    /// Run the first program once, NOT CONFINED, with the arguments behind `--`, and add what it
    /// opens
    ///
    /// It runs on this host as the user of `--user`, or else as nobody, until it has ended.
    #[arg(long)]
    pub(crate) trace: bool,
    /// Ends a program that is traced after this time
    #[arg(long, value_name = "SECONDS", requires = "trace", value_parser = crate::arguments::seconds)]
    pub(crate) trace_for: Option<std::time::Duration>,
    /// Say on standard error what was left out
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Print JSON, errors too
    #[arg(long)]
    pub(crate) json: bool,
    /// The arguments of the program that is traced
    #[arg(last = true, value_name = "ARG", requires = "trace")]
    pub(crate) arguments: Vec<OsString>,
}
