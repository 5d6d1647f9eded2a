//! Debian's rsyslogd on a socket of the test's own, to be stopped and started.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use isol_tests::until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A directory outside, with an rsyslogd that takes messages at `log` and writes them to `messages`.
pub(crate) struct Outside {
    dir: tempfile::TempDir,
    daemon: Option<Child>,
}

impl Outside {
    /// Starts one.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name).display().to_string();
        let text = format!(
            r#"
global(workDirectory="{0}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{1}" UsePIDFromSystem="off" RateLimit.Interval="0")
template(name="line" type="string" string="%pri-text% %syslogtag%%msg%\n")
action(type="omfile" file="{2}" template="line")
"#,
            dir.path().display(),
            at("log"),
            at("messages")
        );
        fs::write(dir.path().join("conf"), text).expect("a file");
        let mut outside = Self { dir, daemon: None };
        outside.start();
        outside
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    /// `--syslog` to it.
    pub(crate) fn option(&self) -> String {
        format!("--syslog={}", self.log().display())
    }

    pub(crate) fn start(&mut self) {
        let log = self.log();
        let daemon = Command::new("rsyslogd")
            .arg("-n")
            .arg("-f")
            .arg(self.path().join("conf"))
            .arg("-i")
            .arg(self.path().join("pid"))
            .stdin(Stdio::null())
            .spawn()
            .expect("rsyslogd");
        self.daemon = Some(daemon);
        until("rsyslogd listens", || {
            std::os::unix::net::UnixDatagram::unbound().and_then(|s| s.connect(&log)).is_ok()
        });
    }

    pub(crate) fn stop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        kill(Pid::from_raw(daemon.id() as i32), Signal::SIGTERM).expect("it is there");
        daemon.wait().expect("it is a child");
        assert!(!self.log().exists(), "rsyslogd has taken its socket along");
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        let text = fs::read(self.path().join("messages")).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    /// Waits for a message, or one that ends like this.
    #[track_caller]
    pub(crate) fn wait_for(&self, line: &str) {
        until(&format!("`{line}` has arrived"), || {
            self.messages().iter().any(|l| l.ends_with(line))
        });
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}
