//! Programs that are still running: to be signalled, read from, waited for.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long to wait for what must come, before a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that was started; killed when this value goes.
#[derive(Debug)]
pub struct Started {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Started {
    /// Starts a command with pipes for standard input and output.
    ///
    /// # Panics
    /// If it can't be started.
    pub fn new(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} can't be started: {error}"));
        let out = BufReader::new(child.stdout.take().expect("it is a pipe"));
        Self { child, out }
    }

    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// The next line that it prints, without its end; empty at the end of the output.
    ///
    /// # Panics
    /// If it can't be read.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line of text");
        line.trim_end().to_owned()
    }

    /// Its standard input.
    ///
    /// # Panics
    /// If that is closed.
    pub fn input(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().expect("it is a pipe that is open")
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.child.stdin = None;
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it is gone.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("it is there");
    }

    /// Waits until it has ended: (exit status, signal).
    ///
    /// # Panics
    /// If it does not end.
    pub fn end(&mut self) -> (Option<i32>, Option<i32>) {
        self.close_input();
        let mut status = None;
        until("the program has ended", || {
            status = self.child.try_wait().expect("it is a child");
            status.is_some()
        });
        let status = status.expect("it has ended");
        (status.code(), status.signal())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
///
/// # Panics
/// If it does not come to be so.
#[track_caller]
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The state letter of a process, as /proc shows it; `None` once it is gone.
#[must_use]
pub fn state(pid: Pid) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

/// The children of a process.
#[must_use]
pub fn children(pid: Pid) -> Vec<Pid> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let text = text.unwrap_or_default();
    text.split_whitespace().filter_map(|n| n.parse().ok()).map(Pid::from_raw).collect()
}

/// The pids of those whose command line has a text in it.
#[must_use]
pub fn running_with(text: &str) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").contains(text)
    })
    .collect()
}

/// A uid that no other test of this run uses.
#[must_use]
pub fn own_uid() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let pid = std::process::id() % 100_000;
    1_000_000 + pid * 1000 + NEXT.fetch_add(1, Ordering::Relaxed)
}
