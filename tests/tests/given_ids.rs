//! An ordinary user with ids of /etc/subuid and /etc/subgid, in a mount namespace where these files are the test's.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use isol_tests::{
    BUSYBOX, Run, Started, isol_path, must_be_root, must_have, own_uid, run, running_with, unless,
    until,
};
use tempfile::TempDir;

/// The first id that the user has been given, and how many.
const FIRST: u32 = 1_700_000_000;
const COUNT: u32 = 65_536;

/// An ordinary user of the tests', whom the host's own files don't know.
struct User {
    uid: u32,
    /// What lies over the host's files for him.
    files: TempDir,
    /// What is done in the mount namespace before he starts.
    before: String,
}

impl User {
    /// With a row in each of both files.
    fn new() -> Self {
        let user = Self::without_ids();
        let row = format!("root:100000:10\nisol-test:{FIRST}:{COUNT}\n");
        user.file("subuid", &row);
        user.file("subgid", &row);
        user
    }

    fn without_ids() -> Self {
        let files = tempfile::tempdir().expect("a directory");
        let user = Self { uid: own_uid(), files, before: String::new() };
        let with =
            |file: &str, line: String| fs::read_to_string(file).expect("every host has it") + &line;
        user.file(
            "passwd",
            &with("/etc/passwd", format!("isol-test:x:{0}:{0}::/:/bin/sh\n", user.uid)),
        );
        user.file("group", &with("/etc/group", format!("isol-test:x:{}:\n", user.uid)));
        user.file("subuid", "");
        user.file("subgid", "");
        user
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.files.path().join(name);
        fs::write(&path, text).expect("it can be written");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("it is ours");
    }

    /// A command that he gives; one of his groups is the host's group 27.
    fn command(&self, words: &[&str]) -> Command {
        let mut script = "set -e\n".to_owned();
        for name in ["passwd", "group", "subuid", "subgid"] {
            let file = self.files.path().join(name);
            script += &format!("test -e /etc/{name} || : >/etc/{name}\n");
            script += &format!("mount --bind {} /etc/{name}\n", file.display());
        }
        script += &self.before;
        let id = self.uid;
        script += &format!(
            "\nexec /usr/bin/setpriv --reuid {id} --regid {id} --groups {id},27 --inh-caps=-all \"$@\""
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &script, "sh"]).args(words);
        command.env_remove("XDG_RUNTIME_DIR").current_dir("/");
        command
    }

    fn isol(&self, options: &str, program: &[&str]) -> Command {
        let isol = isol_path();
        let mut words = vec![isol.to_str().expect("a path that is text")];
        words.extend(options.split_whitespace());
        words.push("--");
        words.extend(program);
        self.command(&words)
    }

    fn sh(&self, options: &str, script: &str) -> Run {
        run(&mut self.isol(&format!("run {options}"), &[BUSYBOX, "sh", "-c", script]))
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let state = format!("/tmp/isol-{}", self.uid);
        let left: Vec<_> = fs::read_dir(&state).into_iter().flatten().flatten().collect();
        // Whoever has named a uid has left the file in which it was locked.
        let left: Vec<_> = left.iter().filter(|entry| entry.file_name() != "uids").collect();
        if !std::thread::panicking() {
            assert!(left.is_empty(), "{left:?}");
        }
        let _ = fs::remove_dir_all(state);
    }
}

fn can_run() -> bool {
    let namespaces = isol::backend_by_name("namespaces").expect("it is built in everywhere");
    let elsewhere = namespaces.plans_for(isol::host::HOST) != isol::host::HOST;
    must_be_root()
        && !elsewhere
        && unless(namespaces.available().err().map(|error| error.reason).as_deref())
        && must_have(&["unshare", "setpriv", "newuidmap", "newgidmap"])
}

#[test]
fn another_uid_and_groups_are_those_that_he_has_been_given() {
    if !can_run() {
        return;
    }
    let user = User::new();
    let script = "id -u; id -g; id -G; cat /proc/self/uid_map; touch /tmp/x";
    let out = user.sh("--user 33:34 --groups 7,9", script).succeeded().to_owned();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[..3], ["33", "34", "34 7 9"], "{out}");
    let map: Vec<_> = lines[3].split_whitespace().collect();
    assert_eq!(map, ["33", &(FIRST + 32).to_string(), "1"], "no other uid is there");
    let verbose = user.sh("-v --user 33 --require groups-exact --require uid-dedicated", "true");
    assert!(!verbose.err.contains("not in force: groups-exact"), "{verbose:#?}");
    assert!(!verbose.err.contains("not in force: uid-dedicated"), "{verbose:#?}");
}

#[test]
fn outside_the_program_is_somebody_else_than_the_user() {
    if !can_run() {
        return;
    }
    let user = User::new();
    let marker = format!("8888{}", user.uid);
    let script = format!("echo ready; exec sleep {marker}");
    let mut program =
        Started::new(&mut user.isol("run --user 33", &[BUSYBOX, "sh", "-c", &script]));
    assert_eq!(program.line(), "ready");
    let mut uids = Vec::new();
    until("the program sleeps", || {
        let is_it = |pid: &i32| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            name == "busybox\n" || name == "sleep\n"
        };
        let found = running_with(&marker).into_iter().find(is_it);
        uids = found.map(|pid| status_of(pid, "Uid:")).unwrap_or_default();
        !uids.is_empty()
    });
    assert_eq!(uids, vec![(FIRST + 32).to_string(); 4]);
    // A second one under the same uid is seen.
    user.sh("--user 33", "true").refused(125, &["already runs outside"]);
    user.sh("--user 34", "true").succeeded();
    program.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(program.end(), (Some(143), None));
}

fn status_of(pid: i32, field: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn his_own_uid_stays_his_own_and_so_do_his_files() {
    if !can_run() {
        return;
    }
    let user = User::new();
    let data = tempfile::tempdir().expect("a directory");
    fs::set_permissions(data.path(), Permissions::from_mode(0o700)).expect("it is ours");
    chown(data.path(), Some(user.uid), Some(user.uid)).expect("root may");
    let bind = format!("--bind {}:/data", data.path().display());
    let by_himself = user.sh(&format!("{bind} --groups 7"), "id -u; id -G; touch /data/himself");
    assert_eq!(by_himself.succeeded(), format!("{0}\n{0} 7\n", user.uid));
    let owner = |name: &str| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(data.path().join(name)).map(|meta| (meta.uid(), meta.gid())).ok()
    };
    assert_eq!(owner("himself"), Some((user.uid, user.uid)));
    // Who is somebody else has nothing of it.
    let by_another = user.sh(&format!("{bind} --user 33"), "touch /data/another");
    assert_eq!(by_another.status, Some(1), "{by_another:#?}");
    // Uid 0 is himself, and can be all the others.
    let script = "chown 33:34 /data/himself && touch /data/root && id -G";
    let by_root = user.sh(&format!("{bind} --user 0 --allow root-user"), script);
    assert_eq!(by_root.succeeded(), "0\n");
    assert_eq!(owner("himself"), Some((FIRST + 32, FIRST + 33)));
    assert_eq!(owner("root"), Some((user.uid, user.uid)));
}

#[test]
fn the_plan_says_who_is_whom_and_that_needs_nothing_to_be_run() {
    if !can_run() {
        return;
    }
    let user = User::new();
    let plan = run(&mut user.isol("plan --user 33:34", &[BUSYBOX, "true"]));
    let said = plan.succeeded();
    assert!(said.contains(&format!("outside, uid {}, gid {}", FIRST + 32, FIRST + 33)), "{said}");
    assert!(said.contains("newuidmap(1) and newgidmap(1)"), "{said}");
    let without = run(&mut user.isol("plan", &[BUSYBOX, "true"]));
    assert!(!without.succeeded().contains("newuidmap"), "{without:#?}");
}

#[test]
fn what_is_missing_is_said_with_what_mends_it() {
    if !can_run() {
        return;
    }
    let mut user = User::without_ids();
    let refused = |user: &User, texts: &[&str]| {
        for backend in ["--backend namespaces", ""] {
            let out = user.sh(&format!("{backend} --user 33"), "true");
            let texts = if backend.is_empty() { &texts[1..] } else { texts };
            out.refused(125, texts);
        }
    };
    let usermod = "help: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 isol-test";
    refused(&user, &["/etc/subuid gives him none", usermod]);
    // Uid 0 alone takes nobody's leave; with a group it does.
    assert_eq!(user.sh("--user 0 --allow root-user", "id -u").succeeded(), "0\n");
    let groups = user.sh("--backend namespaces --user 0 --allow root-user --groups 5", "true");
    groups.refused(125, &["a choice of groups", usermod]);
    user.file("subuid", &format!("isol-test:{FIRST}:10\n"));
    user.file("subgid", &format!("{}:{FIRST}:10\n", user.uid));
    user.sh("--user 10:10", "true").succeeded();
    let more = user.sh("--backend namespaces --user 11:10", "true");
    more.refused(125, &["can't do uid 11: /etc/subuid gives fewer ids than that"]);
    // Root's ids are nobody's to give.
    user.file("subgid", "isol-test:0:10\n");
    refused(&user, &["/etc/subgid gives him none", "help: usermod"]);
    user.file("subgid", &format!("isol-test:{FIRST}:10\n"));
    // Without one of the programs, and with one that is another's.
    let mine = user.files.path().join("newgidmap");
    fs::copy("/usr/bin/newgidmap", &mine).expect("it can be copied");
    chown(&mine, Some(user.uid), None).expect("root may");
    user.before = format!("mount --bind {} /usr/bin/newgidmap", mine.display());
    let owner = format!("/usr/bin/newgidmap is not used: its owner is uid {}", user.uid);
    refused(&user, &[&owner, "help: apt install --reinstall uidmap"]);
    user.before =
        "mount -t tmpfs none /mnt; cp /usr/bin/setpriv /mnt; mount --move /mnt /usr/bin".into();
    refused(&user, &["newuidmap(1) is not installed", "help: apt install uidmap"]);
}

#[test]
fn what_the_programs_say_is_told() {
    if !can_run() {
        return;
    }
    let mut user = User::new();
    // They look the account up, and what it has been given: another group is not its own.
    let passwd = fs::read_to_string(user.files.path().join("passwd")).expect("it is there");
    let old = format!("isol-test:x:{0}:{0}:", user.uid);
    user.file("passwd", &passwd.replace(&old, &format!("isol-test:x:{}:1:", user.uid)));
    user.sh("--backend namespaces --user 33:34", "true").refused(
        125,
        &["user-namespace: can't map the ids", "/usr/bin/newuidmap refuses: ", "help: grep -H"],
    );
    user.file("passwd", &passwd);
    user.sh("--user 33:34", "true").succeeded();
    // A program that is content and has written nothing.
    user.before = "mount --bind /bin/true /usr/bin/newuidmap".into();
    user.sh("--backend namespaces --user 33:34", "true")
        .refused(125, &["has written another map than it was asked for"]);
}

#[test]
fn under_no_new_privs_a_set_uid_program_is_of_no_use() {
    if !can_run() {
        return;
    }
    let user = User::new();
    let isol = isol_path();
    let isol = isol.to_str().expect("a path that is text");
    let words = [
        "/usr/bin/setpriv",
        "--no-new-privs",
        isol,
        "run",
        "--backend",
        "namespaces",
        "--user",
        "33",
        "--",
        BUSYBOX,
        "true",
    ];
    run(&mut user.command(&words)).refused(125, &["no_new_privs", "help: run it without"]);
}
