//! An ordinary user with ids of /etc/subuid and /etc/subgid, in a mount namespace where these files are the test's.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::{BUSYBOX, Run, isol_path, must_be_root, must_have, own_uid, run, unless};

/// An ordinary user of the tests', whom the host's own files don't know.
#[derive(Debug)]
pub struct OrdinaryUser {
    uid: u32,
    /// What lies over the host's files for him.
    files: TempDir,
    /// What is done in the mount namespace before he starts, by root.
    before: String,
}

impl OrdinaryUser {
    /// The first id that he has been given: it is 1 inside.
    pub const FIRST: u32 = 1_700_000_000;

    /// Whether tests of such a user can go on: as root, on a Linux that has the calls, with the programs that map ids.
    ///
    /// # Panics
    /// If not, and `ISOL_MUST_RUN=1` says that nothing is skipped; or if isol lacks the backend.
    #[must_use]
    pub fn can_be() -> bool {
        let namespaces = isol::backend_by_name("namespaces").expect("it is built in everywhere");
        let elsewhere = namespaces.plans_for(isol::host::HOST) != isol::host::HOST;
        must_be_root()
            && !elsewhere
            && unless(namespaces.available().err().map(|error| error.reason).as_deref())
            && must_have(&["unshare", "setpriv", "newuidmap", "newgidmap"])
    }

    /// With 65,536 uids and as many gids.
    ///
    /// # Panics
    /// If his files can't be made.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes files")]
    pub fn new() -> Self {
        let user = Self::without_ids();
        let row = format!("root:100000:10\nisol-test:{}:65536\n", Self::FIRST);
        user.file("subuid", &row);
        user.file("subgid", &row);
        user
    }

    /// With nothing but himself.
    ///
    /// # Panics
    /// If his files can't be made.
    #[must_use]
    pub fn without_ids() -> Self {
        let files = tempfile::tempdir().expect("a directory");
        let user = Self { uid: own_uid(), files, before: String::new() };
        let uid = user.uid;
        for (name, line) in [
            ("passwd", format!("isol-test:x:{uid}:{uid}::/:/bin/sh\n")),
            ("group", format!("isol-test:x:{uid}:\n")),
        ] {
            let host_s = fs::read_to_string(Path::new("/etc").join(name));
            user.file(name, &(host_s.expect("every host has it") + &line));
        }
        user.file("subuid", "");
        user.file("subgid", "");
        user
    }

    /// His uid, and his gid.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// A directory for files of the test.
    #[must_use]
    pub fn files(&self) -> &Path {
        self.files.path()
    }

    /// Puts a file into that directory: `passwd`, `group`, `subuid` and `subgid` are /etc's for him.
    ///
    /// # Panics
    /// If it can't be written.
    pub fn file(&self, name: &str, text: &str) {
        let path = self.files().join(name);
        fs::write(&path, text).expect("it can be written");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("it is ours");
    }

    /// What root does in his mount namespace before he starts, as lines for sh(1).
    pub fn before(&mut self, script: impl Into<String>) {
        self.before = script.into();
    }

    /// A command that he gives; one of his groups is the host's group 27.
    #[must_use]
    pub fn command(&self, words: &[&str]) -> Command {
        let mut script = "set -e\n".to_owned();
        for name in ["passwd", "group", "subuid", "subgid"] {
            let (file, over) = (self.files().join(name), Path::new("/etc").join(name));
            assert!(over.exists(), "{} is missing: apt-get install uidmap", over.display());
            script += &format!("mount --bind {} {}\n", file.display(), over.display());
        }
        let id = self.uid;
        script += &self.before;
        script += "\nexec /usr/bin/setpriv ";
        script += &format!("--reuid {id} --regid {id} --groups {id},27 --inh-caps=-all \"$@\"");
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &script, "sh"]).args(words);
        command.env_remove("XDG_RUNTIME_DIR").current_dir("/");
        command
    }

    /// The `isol` command, with options that have no blanks in them, and a program.
    ///
    /// # Panics
    /// If it has not been built.
    #[must_use]
    pub fn isol(&self, options: &str, program: &[&str]) -> Command {
        let isol = isol_path();
        let mut words = vec![isol.to_str().expect("a path that is text")];
        words.extend(options.split_whitespace());
        words.push("--");
        words.extend(program);
        self.command(&words)
    }

    /// What a script does that is `isol run` with options.
    ///
    /// # Panics
    /// If it can't be started.
    #[must_use]
    pub fn sh(&self, options: &str, script: &str) -> Run {
        run(&mut self.isol(&format!("run {options}"), &[BUSYBOX, "sh", "-c", script]))
    }
}

impl Drop for OrdinaryUser {
    fn drop(&mut self) {
        let state = format!("/tmp/isol-{}", self.uid);
        // Whoever has named a uid has left the file in which it was locked.
        let left = fs::read_dir(&state).into_iter().flatten().flatten();
        let left: Vec<_> = left.filter(|entry| entry.file_name() != "uids").collect();
        let _ = fs::remove_dir_all(state);
        assert!(left.is_empty() || std::thread::panicking(), "left behind: {left:?}");
    }
}
