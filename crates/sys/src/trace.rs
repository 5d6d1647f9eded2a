//! Which files a program opens, executes and looks at while it runs.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
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

/// A file that a program had to do with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Opened {
    /// By which absolute path. Links in it have not been resolved.
    pub path: PathBuf,
    /// What was done with it.
    pub how: How,
}

/// What was done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    /// It was opened, to be read.
    Read,
    /// It can be written to through the descriptor, or may have been made by opening it.
    Written,
    /// It was executed.
    Executed,
    /// It was found to be there: what it is, where it leads, whether it can be had.
    Looked,
}

/// Whether this system lets a program be watched.
pub const AVAILABLE: bool = os::AVAILABLE;

/// Runs a program and all that it starts until the last of it has ended, and reports each file that was opened,
/// executed or looked at with success.
/// With a `limit`, all that is left after this time is told to end, by SIGTERM, and killed five seconds later.
///
/// **The program is not confined**: it runs as any other program of the caller's does, and slower. But it is in a session
/// of its own, without a controlling terminal, and of the caller's descriptors it has those only that the command
/// gives it as 0, 1 and 2.
///
/// # Errors
/// It could not be started or watched (ENOTSUP where [`AVAILABLE`] is false, and before Linux 5.3). Whatever had been
/// started is killed then.
///
/// # References
/// ptrace(2): `PTRACE_GET_SYSCALL_INFO`; setsid(2), close_range(2)
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
///         assert!(opened.iter().any(|file| file.path.ends_with("passwd") && file.how == trace::How::Read));
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
