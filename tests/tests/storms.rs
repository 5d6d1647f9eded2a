//! Many at once, and killed at any moment.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use isol_core::Os;
use isol_sys::os::HOST;
use isol_sys::state::RANGE_FILE;
use isol_tests::{
    BUSYBOX, Started, TestRoot, isol_path, isol_with, must_be_root, must_have, own_uid, run,
    running_with, until,
};

const STATE: &str = "/run/isol";

/// The pids in the lock files of the state directory, and the roots that have no lock.
fn held() -> (BTreeSet<u32>, Vec<String>) {
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let names: Vec<String> =
        fs::read_dir(STATE).into_iter().flatten().flatten().map(name).collect();
    let pid = |lock: &String| {
        let text = fs::read_to_string(format!("{STATE}/{lock}")).unwrap_or_default();
        text.lines().next().and_then(|line| line.trim().parse().ok())
    };
    let locks = names.iter().filter(|n| n.ends_with(".lock")).filter_map(pid).collect();
    let lockless = |n: &&String| {
        *n != RANGE_FILE && !n.ends_with(".lock") && !names.contains(&format!("{n}.lock"))
    };
    (locks, names.iter().filter(lockless).cloned().collect())
}

/// A number that differs from call to call, below `limit`.
fn random(limit: u64) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish() % limit
}

#[test]
fn a_run_killed_at_any_moment_leaves_nothing_once_another_has_run() {
    if !must_be_root() {
        return;
    }
    let marker = format!("7777{}", std::process::id());
    let mut killed = BTreeSet::new();
    for _ in 0..200 {
        let mut child = isol_with(["run", "--", BUSYBOX, "sleep", &marker])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("isol can be started");
        std::thread::sleep(Duration::from_micros(random(60_000)));
        child.kill().expect("it is there");
        child.wait().expect("it is a child");
        killed.insert(child.id());
    }
    run(&mut isol_with(["run", "--", BUSYBOX, "true"])).succeeded();
    until("the programs of the killed ones are gone", || running_with(&marker).is_empty());
    let (locks, lockless) = held();
    let left: Vec<_> = locks.intersection(&killed).collect();
    assert!(left.is_empty(), "locks of killed runs: {left:?}");
    assert!(lockless.is_empty(), "roots of killed runs: {lockless:?}");
}

/// A proof mounts in its caller's namespace, to see what a program sees of that.
#[test]
fn what_a_killed_proof_has_mounted_is_taken_away_by_the_next_run() {
    if !must_be_root() || HOST != Os::Linux || !must_have(&["unshare", "mount"]) {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let script = r#"set -e
mount -t tmpfs -o mode=755 none /run
mkdir -p -m 700 /run/isol "$1/outside/mounted" "$1/outside/beside"
mount -t tmpfs none "$1/outside/mounted"
mount -t tmpfs none "$1/outside/mounted"
printf '1\n%s' "$1" >/run/isol/prove-1.lock
"$2" run -- "$3" true
find "$4" /run/isol -mindepth 1
grep -c isol-prove /proc/self/mountinfo || true
"#;
    let ran = run(Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(dir.path().join("isol-prove-1"))
        .arg(isol_path())
        .arg(BUSYBOX)
        .arg(dir.path()));
    assert_eq!(ran.succeeded(), "0\n");
}

#[test]
fn two_hundred_at_once_have_two_hundred_uids() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let script = "id -u; read line; exit 9";
    let mut all: Vec<_> = (0..200)
        .map(|_| {
            Started::new(&mut isol_with([
                "run",
                "--root",
                root.text(),
                "--",
                "/bin/sh",
                "-c",
                script,
            ]))
        })
        .collect();
    let uids: BTreeSet<u32> = all
        .iter_mut()
        .map(|one| one.line().parse().expect("every one of them prints its uid"))
        .collect();
    assert_eq!(uids.len(), 200, "all of them run now, each under its own");
    assert!(uids.iter().all(|uid| (61184..=65519).contains(uid)), "{uids:?}");
    all.iter_mut().for_each(Started::close_input);
    for mut one in all {
        assert_eq!(one.end(), (Some(9), None));
    }
    let left = |uid: &&u32| fs::exists(format!("{STATE}/uid-{uid}.lock")).unwrap_or(true);
    assert_eq!(uids.iter().find(left), None, "a hold on a uid is left");
}

#[test]
fn of_twenty_that_start_at_once_under_one_uid_one_runs() {
    if !must_be_root() {
        return;
    }
    let (root, uid) = (TestRoot::new(), own_uid().to_string());
    for round in 0..5 {
        // Every second one stays as a parent.
        let start = |number: u32| {
            let mut words = vec!["run", "--root", root.text(), "--user", &uid];
            words.extend(if number.is_multiple_of(2) { &[][..] } else { &["--timeout", "600"] });
            let mut isol = isol_with(words);
            isol.args(["--", "/bin/cat"]);
            isol.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let mut all: Vec<_> = (0..20).map(start).collect();
        let mut refused = 0;
        until("all but one are refused", || {
            all.retain_mut(|child| match child.try_wait().unwrap() {
                None => true,
                Some(status) => {
                    assert_eq!(status.code(), Some(125), "round {round}");
                    let mut said = String::new();
                    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said)
                        .unwrap();
                    assert!(said.contains("already runs outside"), "{said}");
                    refused += 1;
                    false
                }
            });
            refused == 19
        });
        let mut last = all.pop().unwrap();
        drop(last.stdin.take());
        assert!(last.wait().unwrap().success());
    }
}
