//! What the tests that cross crates have in common: the command under test, and root
//! trees to run programs in.

mod root;
mod started;
mod trees;
mod user;

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use root::{BUSYBOX, TestRoot, copy_program};
pub use started::{Started, children, own_uid, running_with, state, until};
pub use trees::{Trees, names};
pub use user::OrdinaryUser;

/// Where the `isol` command is: the environment variable `ISOL_BIN`, or else beside the
/// test executables.
///
/// # Panics
/// If it has not been built.
#[must_use]
pub fn isol_path() -> PathBuf {
    let path = std::env::var_os("ISOL_BIN").map_or_else(|| built("isol"), PathBuf::from);
    assert!(path.is_file(), "{} is missing: cargo build -p isol-cli first", path.display());
    path
}

/// What was built together with the test executables, of the profile that they are of: programs of the tests' own, and
/// an `isol` which need not be the command under test.
///
/// # Panics
/// If the test is not where cargo has put it.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a test knows its own executable");
    this.ancestors().nth(2).expect("it is in target/PROFILE/deps").join(name)
}

/// The `isol` command, without arguments.
///
/// # Panics
/// If it has not been built.
#[must_use]
pub fn isol() -> Command {
    Command::new(isol_path())
}

/// The `isol` command with arguments.
///
/// # Panics
/// If it has not been built.
#[must_use]
pub fn isol_with<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = isol();
    command.args(arguments);
    command
}

/// A program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The exit status, if it exited.
    pub status: Option<i32>,
    /// The signal, if one ended it.
    pub signal: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Run {
    /// Checks the exit status and that the message has each of these texts in it.
    ///
    /// # Panics
    /// If it has not.
    #[track_caller]
    pub fn refused(&self, status: i32, texts: &[&str]) -> &Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        assert_eq!(self.out, "", "a refusal prints nothing on standard output: {self:#?}");
        for text in texts {
            assert!(self.err.contains(text), "`{text}` is not in {self:#?}");
        }
        self
    }

    /// Checks that it exited with status 0 and wrote nothing on standard error; returns
    /// its standard output.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn succeeded(&self) -> &str {
        assert_eq!((self.status, self.err.as_str()), (Some(0), ""), "{self:#?}");
        &self.out
    }
}

/// Runs a command to its end, with an empty standard input.
///
/// # Panics
/// If it can't be started.
pub fn run(command: &mut Command) -> Run {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?} can't be started: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Run {
        status: output.status.code(),
        signal: output.status.signal(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Whether `ISOL_MUST_RUN=1` forbids to skip a test.
#[must_use]
pub fn must_run() -> bool {
    std::env::var_os("ISOL_MUST_RUN").is_some_and(|value| value == "1")
}

/// Whether the test can go on: `false` after the reason has been printed if there is one
/// not to.
///
/// # Panics
/// If there is a reason, and `ISOL_MUST_RUN=1` says that nothing is skipped.
#[must_use]
#[expect(clippy::print_stderr, reason = "the test harness catches what is printed this way")]
pub fn unless(reason: Option<&str>) -> bool {
    match reason {
        None => true,
        Some(reason) if must_run() => panic!("must run, and can't: {reason}"),
        Some(reason) => {
            eprintln!("skipped: {reason}");
            false
        }
    }
}

/// Whether a test that needs root and a static busybox can go on.
///
/// # Panics
/// If it can't, and `ISOL_MUST_RUN=1` says that nothing is skipped.
#[must_use]
pub fn must_be_root() -> bool {
    let busybox = Path::new(BUSYBOX);
    let reason = if !nix::unistd::geteuid().is_root() {
        Some("it takes root")
    } else if !busybox.is_file() {
        Some("there is no /bin/busybox: apt-get install busybox-static")
    } else {
        None
    };
    unless(reason)
}

/// Whether a test that makes namespaces as root can go on: on a Linux that has the calls.
///
/// # Panics
/// If it can't, here, and `ISOL_MUST_RUN=1` says that nothing is skipped.
#[must_use]
pub fn must_have_namespaces() -> bool {
    let namespaces = isol::backend_by_name("namespaces").expect("it is built in everywhere");
    let elsewhere = namespaces.plans_for(isol::host::HOST) != isol::host::HOST;
    must_be_root()
        && !elsewhere
        && unless(namespaces.available().err().map(|error| error.reason).as_deref())
}

/// Whether these commands of the host are there.
///
/// # Panics
/// If one is not, and `ISOL_MUST_RUN=1` says that nothing is skipped.
#[must_use]
pub fn must_have(commands: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |name: &str| std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    let missing = commands.iter().find(|name| !there(name));
    unless(missing.map(|name| format!("there is no command {name}")).as_deref())
}
