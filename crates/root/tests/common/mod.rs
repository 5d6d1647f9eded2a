//! What the tests share.
#![allow(dead_code)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use isol_core::{Gid, Uid};
use isol_root::throwaway::Options;
use isol_root::{Closure, Resolver, Sysroot, Throwaway};
use isol_sys::state::StateDir;

/// Whether a test may go on that needs `what`. With `ISOL_MUST_RUN=1` it has to.
#[allow(clippy::print_stderr)]
pub(crate) fn needs(there: bool, what: &str) -> bool {
    if !there {
        assert!(
            std::env::var_os("ISOL_MUST_RUN").is_none(),
            "this test must run, but needs {what}"
        );
        eprintln!("SKIPPED: needs {what}");
    }
    there
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

pub(crate) fn needs_root() -> bool {
    needs(is_root(), "root")
}

/// A state directory that goes with the test, and is found to be empty then.
pub(crate) struct Scratch {
    dir: Option<tempfile::TempDir>,
    pub(crate) state: StateDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::below(Path::new("/tmp"))
    }

    pub(crate) fn below(parent: &Path) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("isol-test-")
            .tempdir_in(parent.canonicalize().unwrap())
            .unwrap();
        let state = StateDir::open_at(&dir.path().join("state")).unwrap();
        Self { dir: Some(dir), state }
    }

    pub(crate) fn entries(&self) -> Vec<String> {
        self.state.entries().unwrap()
    }

    /// What is left is what the test is about.
    pub(crate) fn expect_empty(mut self) {
        assert_eq!(self.entries(), [""; 0]);
        self.dir.take().unwrap().close().unwrap();
    }
}

pub(crate) fn host() -> Sysroot {
    Sysroot::open("/".as_ref()).unwrap()
}

pub(crate) fn closure(program: &str, extra: &[&str]) -> Closure {
    let extra: Vec<_> = extra.iter().map(|path| path.into()).collect();
    Resolver::new(&host()).closure(program.as_ref(), &extra).unwrap()
}

pub(crate) fn options() -> Options {
    Options::new(Uid::new(61184).unwrap(), Gid::new(61185).unwrap())
}

pub(crate) fn throwaway(scratch: &Scratch, closure: &Closure) -> Throwaway {
    Throwaway::create(&scratch.state, &host(), closure, &options()).unwrap()
}

/// Runs a program in a root as the unprivileged user of [`options`].
pub(crate) fn chroot(root: &Path, command: &[&str]) -> Output {
    let mut chroot = Command::new("chroot");
    chroot.args(["--userspec=61184:61185", "--groups="]).arg(root).args(command).env_clear();
    chroot.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").output().unwrap()
}

pub(crate) fn chmod(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Runs a command that an error message suggests.
pub(crate) fn run_mend(mend: &str) {
    assert!(Command::new("bash").args(["-c", mend]).status().unwrap().success(), "{mend}");
}

pub(crate) fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}
