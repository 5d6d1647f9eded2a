//! A caller that leaves everything open: what isol is started by when its calls are made to fail.
//!
//! A shell that is the first process of a pid namespace of its own, with a `/proc`, a `/run` and a
//! `/var/lib` of its own: what a run leaves behind is exactly what is there after it. It takes
//! one command a line and answers with its exit status.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::unistd::Pid;

/// How long a run may take before it counts as one that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory that only the caller sees: what a run writes goes there.
pub(crate) const WORK: &str = "/run/work";

/// What stands before a command: signals that are blocked, which the shell would not pass on.
pub(crate) const BLOCKED: &str = "env --block-signal=USR1,WINCH,RTMIN";

/// Every state that a process inherits and that isol puts right. `$1` is a terminal's path,
/// `$2` the root that gets a `/proc`.
const BECOME_HOSTILE: &str = r#"
    exec 3<&0 <"$1"
    exec setsid --ctty setarch -R nice -n 5 prlimit --core=unlimited --nofile=4096 \
        setpriv --groups 4,20,27 --inh-caps +chown,+setuid,+sys_chroot --ambient-caps +chown,+setuid,+sys_chroot \
            --securebits +no_setuid_fixup \
        env GCONV_PATH=/tmp/hostile MALLOC_CHECK_=3 LD_ORIGIN_PATH=/tmp HOSTILE=yes \
        bash -c "$0" isol-caller "$2"
"#;

const SERVE: &str = r#"
    mount -t proc proc /proc && mount -t proc proc "$1/proc" &&
        mount -t tmpfs -o mode=755 isol-run /run && mount -t tmpfs -o mode=755 isol-lib /var/lib &&
        mkdir /run/work && echo secret >/run/work/outside || exit
    trap '' HUP USR2 ALRM RTMAX
    umask 000
    cd /etc
    exec 7</ 20</etc 100</tmp 101</etc/passwd 900</ 2>/dev/null
    echo ready
    while IFS= read -r line <&3; do
        eval "$line"
        echo $?
    done
"#;

/// See the module.
pub(crate) struct Caller {
    shell: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
    /// The shell's pid outside.
    first: i32,
    mounts: Vec<String>,
    _terminal: (OwnedFd, OwnedFd),
}

impl Caller {
    /// Starts one whose root gets a `/proc`.
    pub(crate) fn new(root: &str) -> Self {
        let pty = nix::pty::openpty(None, None).expect("a terminal");
        let path = nix::unistd::ttyname(&pty.slave).expect("it has a name");
        let mut shell = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"])
            .args(["bash", "-c", BECOME_HOSTILE, SERVE])
            .arg(&path)
            .arg(root)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare(1) can be started");
        let commands = shell.stdin.take().expect("a pipe");
        let lines = BufReader::new(shell.stdout.take().expect("a pipe")).lines();
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let ready = answers.recv_timeout(PATIENCE);
        assert_eq!(ready.as_deref(), Ok("ready"), "the caller could not be made");
        let first = isol_tests::children(Pid::from_raw(shell.id() as i32))
            .first()
            .expect("its child")
            .as_raw();
        let mut caller = Self {
            shell,
            commands,
            answers,
            first,
            mounts: Vec::new(),
            _terminal: (pty.master, pty.slave),
        };
        caller.mounts = caller.mounted();
        caller
    }

    /// Runs a line of shell; its status, or `None` if it does not end.
    pub(crate) fn run(&mut self, line: &str) -> Option<i32> {
        writeln!(self.commands, "{line}").expect("the caller listens");
        let answer = self.answers.recv_timeout(PATIENCE).ok()?;
        Some(answer.parse().expect("a status"))
    }

    /// What stands in a file that the caller sees.
    pub(crate) fn read(&self, path: &str) -> String {
        let bytes = fs::read(self.path(path)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A path of the caller's, as it is reached from here.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.first))
    }

    /// What a run has left behind: processes and mounts.
    pub(crate) fn left_running(&self) -> Vec<String> {
        // The tracer needs a moment, to see that there is nothing left to trace.
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut left = self.processes();
        while !left.is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(200));
            left = self.processes();
        }
        let mut left: Vec<String> = left.into_iter().collect();
        // Mounts may go meanwhile: where somebody outside removes what they are mounted on.
        left.extend(self.mounted().into_iter().filter(|mount| !self.mounts.contains(mount)));
        left
    }

    /// What a run has left in the state directories.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let list = |dir| fs::read_dir(self.path(dir)).into_iter().flatten().flatten().map(name);
        let left = list("/run/isol").chain(list("/var/lib/isol"));
        // A file of single bytes that are locked stays.
        left.filter(|name| name != isol_sys::state::RANGE_FILE).collect()
    }

    fn processes(&self) -> BTreeSet<String> {
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let entries = fs::read_dir(self.path("/proc")).into_iter().flatten().flatten().map(name);
        let others = entries.filter(|pid| pid.parse::<u32>().is_ok_and(|pid| pid != 1));
        others
            .map(|pid| format!("{pid} {}", self.read(&format!("/proc/{pid}/comm")).trim()))
            .collect()
    }

    fn mounted(&self) -> Vec<String> {
        let list = fs::read_to_string(format!("/proc/{}/mountinfo", self.first));
        let list = list.expect("the caller is there");
        list.lines().map(|line| format!("mount {line}")).collect()
    }
}

impl Drop for Caller {
    /// With the first process of the namespace all others go.
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
