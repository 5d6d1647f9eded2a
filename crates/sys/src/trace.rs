//! Which files a program opens and executes while it runs.

cfg_if::cfg_if! {
    if #[cfg(all(target_os = "linux", target_env = "gnu"))] {
        #[path = "trace/linux.rs"]
        mod os;
    } else {
        #[path = "trace/none.rs"]
        mod os;
    }
}

use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

/// A file that was opened, or executed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Opened {
    /// By which absolute path. Links in it have not been resolved.
    pub path: PathBuf,
    /// Whether it can be written to through the descriptor, or may have been made by opening it.
    pub written: bool,
    /// Whether it was executed.
    pub executed: bool,
}

/// Whether this system lets a program be watched.
pub const AVAILABLE: bool = os::AVAILABLE;

/// Runs a program and all that it starts until the last of it has ended, and reports each file that was opened or
/// executed with success.
/// With a `limit`, all that is left after this time is told to end, by SIGTERM, and killed five seconds later.
///
/// **The program is not confined**: it runs as any other program of the caller's does, and slower.
///
/// # Errors
/// It could not be started or watched (ENOTSUP where [`AVAILABLE`] is false). Whatever had been started is killed then.
///
/// # References
/// ptrace(2)
///
/// ```
/// use isol_sys::trace;
/// if trace::AVAILABLE {
///     let mut opened = Vec::new();
///     let mut cat = std::process::Command::new("/bin/cat");
///     cat.arg("/etc/passwd").stdout(std::process::Stdio::null());
///     let status = trace::watch(&mut cat, None, &mut |file| opened.push(file));
///     if let Ok(status) = status {
///         assert!(status.success());
///         assert!(opened.iter().any(|file| file.path.ends_with("passwd") && !file.written));
///     }
/// }
/// ```
pub fn watch(
    command: &mut Command,
    limit: Option<Duration>,
    seen: &mut dyn FnMut(Opened),
) -> io::Result<ExitStatus> {
    os::watch(command, limit, seen)
}
