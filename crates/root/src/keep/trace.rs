//! Finding what can't be seen in a program's file: by running it once, and looking at what it opens.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use isol_sys::trace::{self as system, How};

use super::KeepError;

/// What was seen.
#[derive(Debug)]
#[non_exhaustive]
pub struct Traced {
    /// How the program ended.
    pub status: ExitStatus,
    /// What it, and what it started, opened, executed or looked at, and did not write to.
    pub paths: Vec<PathBuf>,
}

/// What says who and what there is on the host, or decides what is loaded: the tree has its own, if it is asked for.
const OTHERWISE: [&str; 7] = [
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/nsswitch.conf",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
];
/// Where there is no file that could be copied.
const NOT_FILES: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// Whether programs can be watched here: to be asked before anything is said or made.
///
/// # Errors
/// [`KeepError::CantHonour`] where they can't.
pub fn available() -> Result<(), KeepError> {
    if system::AVAILABLE {
        return Ok(());
    }
    Err(KeepError::CantHonour {
        what: String::from("a program can't be watched on this system"),
        why: String::from("isol knows how on Linux only"),
        help: Some(String::from("name what it loads later: --add PATH")),
    })
}

/// Runs `command`, **unconfined**, until it and all that it has started have ended, and says what it opened or looked at, below
/// `/proc`, `/sys`, `/dev` and `/run` excepted, and the databases of users and the configuration of look-ups and of the
/// loader. With a `limit`, what is left after this time is ended. It runs in a session of its own, without a controlling terminal, and
/// has no descriptors but 0, 1 and 2, which are those of the command.
///
/// # Errors
/// [`KeepError::CantHonour`] on systems where that can't be done, [`KeepError::Io`] if the program could not be
/// started or watched.
///
/// # References
/// ptrace(2)
///
/// ```no_run
/// let mut command = std::process::Command::new("/usr/bin/python3");
/// let traced = isol_root::keep::trace::trace(command.args(["-c", "import ssl"]), None)?;
/// assert!(traced.status.success());
/// # Ok::<(), isol_root::keep::KeepError>(())
/// ```
pub fn trace(command: &mut Command, limit: Option<Duration>) -> Result<Traced, KeepError> {
    available()?;
    let (mut read, mut written) = (BTreeSet::new(), BTreeSet::new());
    let program = PathBuf::from(command.get_program());
    let status = system::watch(command, limit, &mut |file| {
        let path = normal(&file.path);
        let otherwise = OTHERWISE.iter().any(|file| path == Path::new(file));
        if otherwise || NOT_FILES.iter().any(|dir| path.starts_with(dir)) {
            return;
        }
        match file.how {
            How::Written => written.insert(path),
            How::Looked if is_private(&path) => false,
            _ => read.insert(path),
        };
    });
    let status = status.map_err(KeepError::std("watch", &program))?;
    let paths = read.difference(&written).filter(|path| **path != Path::new("/"));
    Ok(Traced { status, paths: paths.cloned().collect() })
}

/// Whether it is not for everybody to read: that somebody has looked at it is no reason to copy it.
fn is_private(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o004 == 0)
}

/// Without `.` and doubled slashes; `..` stays, for a link may be before it.
fn normal(path: &Path) -> PathBuf {
    path.components().collect()
}
