//! `isol root audit`, as its user meets it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use isol_tests::{Started, TestRoot, isol_with, must_be_root, own_uid, run};

fn audit(root: &TestRoot, options: &[&str]) -> isol_tests::Run {
    let mut command = isol_with(["root", "audit", root.text()]);
    run(command.args(options))
}

fn json(root: &TestRoot, options: &[&str]) -> (Option<i32>, serde_json::Value) {
    let mut all = vec!["--json"];
    all.extend(options);
    let run = audit(root, &all);
    (run.status, serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{e}: {run:?}")))
}

fn whats(value: &serde_json::Value) -> Vec<&str> {
    let findings = value["findings"].as_array().expect("a list");
    findings.iter().map(|finding| finding["what"].as_str().expect("a word")).collect()
}

#[test]
fn a_clean_root_is_told_to_be_clean() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let run = audit(&root, &[]);
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{run:?}");
    assert!(run.out.ends_with(" files: nothing found\n"), "{run:?}");
    let (status, value) = json(&root, &[]);
    assert_eq!((status, whats(&value)), (Some(0), vec![]));
    assert_eq!(value["root"], root.text());
    assert!(value["looked_at"].as_u64() > Some(20), "{value}");
}

#[test]
fn findings_are_told_in_order_with_what_mends_them() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    root.put("bin/su", "x", 0o4755);
    root.put("bin/tool", "x", 0o777);
    let odd = root.join("etc").join(OsStr::from_bytes(b"it's \xff\\\n"));
    fs::write(&odd, "").unwrap();
    fs::set_permissions(&odd, Permissions::from_mode(0o2755)).unwrap();

    let (status, value) = json(&root, &[]);
    assert_eq!((status, whats(&value)), (Some(1), vec!["writable-program", "set-uid", "set-gid"]));
    let [tool, su, odd] = &value["findings"].as_array().unwrap()[..] else { panic!() };
    assert_eq!(tool["severity"], "critical");
    assert_eq!(tool["mend"], format!("chmod go-w {}/bin/tool", root.text()));
    assert_eq!(su["detail"], "owner 0, group 0, mode 4755");
    assert!(su["attack"].as_str().unwrap().contains("owner's rights"), "{su}");
    assert_eq!(odd["path"], format!(r"{}/etc/it's \377\\\012", root.text()));

    let run = audit(&root, &[]);
    assert_eq!(run.status, Some(1));
    let first: Vec<_> = run.out.lines().take(3).collect();
    assert!(first[0].starts_with("critical  /srv/") && first[0].contains("/bin/tool: a program"));
    assert!(first[2].starts_with("          mend: chmod go-w /srv/"), "{run:?}");
    assert!(run.out.ends_with(" files: 1 critical, 2 high\n"), "{run:?}");

    for finding in value["findings"].as_array().unwrap() {
        let mend = finding["mend"].as_str().unwrap();
        assert!(Command::new("bash").args(["-c", mend]).status().unwrap().success(), "{mend}");
    }
    assert_eq!(json(&root, &[]).0, Some(0));
}

#[test]
fn fix_mends_what_is_safe_to_mend_and_says_what_it_leaves() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let uid = own_uid();
    root.put("bin/su", "x", 0o4755);
    chown(root.put("bin/tool", "x", 0o755), Some(uid), None).unwrap();
    root.put("var/state", "x", 0o666);
    let run = audit(&root, &["--fix"]);
    assert_eq!(run.status, Some(1), "one of them is left: {run:?}");
    for text in [
        "mended: mode 4755 is now 0755",
        &format!("mended: owner {uid} is now 0\n"),
        "left: a program may need to write to it",
        "1 low; 2 mended",
    ] {
        assert!(run.out.contains(text), "{text}: {run:?}");
    }
    let (status, value) = json(&root, &["--fix", "--ignore", "socket,world-writable"]);
    assert_eq!((status, whats(&value)), (Some(0), vec![]));
    assert!(root.join("var/state").exists());

    root.put("bin/su", "x", 0o4755);
    let (status, value) = json(&root, &["--fix", "--ignore", "world-writable"]);
    assert_eq!((status, &value["findings"][0]["mended"]), (Some(0), &true.into()));
}

#[test]
fn what_audit_and_run_say_is_the_same() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    root.put("etc/su", "x", 0o4711);
    let (_, value) = json(&root, &[]);
    let words = ["run", "--root", root.text(), "--require", "root-clean", "--", "/bin/true"];
    run(&mut isol_with(words)).refused(
        125,
        &[
            "root-clean",
            "/etc/su",
            "a set-uid file",
            value["findings"][0]["mend"].as_str().unwrap(),
        ],
    );
    fs::remove_file(root.join("etc/su")).unwrap();

    fs::set_permissions(root.join("bin/busybox"), Permissions::from_mode(0o775)).unwrap();
    let (_, value) = json(&root, &[]);
    assert_eq!(whats(&value), ["writable-program"]);
    let words = ["run", "--root", root.text(), "--", "/bin/true"];
    run(&mut isol_with(words))
        .refused(125, &["program", value["findings"][0]["mend"].as_str().unwrap()]);
}

#[test]
fn the_users_doings_outside_are_told_of() {
    if !must_be_root() {
        return;
    }
    let (root, uid) = (TestRoot::new(), own_uid().to_string());
    assert_eq!(json(&root, &["--user", &uid]).0, Some(0));
    let mut sleep = Command::new("setpriv");
    sleep.args([
        &format!("--reuid={uid}"),
        "--clear-groups",
        "sh",
        "-c",
        "echo on; exec sleep 600",
    ]);
    let mut sleep = Started::new(&mut sleep);
    assert_eq!(sleep.line(), "on");
    let (status, value) = json(&root, &["--user", &uid]);
    assert_eq!((status, whats(&value)), (Some(1), vec!["process"]));
    let finding = &value["findings"][0];
    assert_eq!(finding["path"], serde_json::Value::Null);
    assert_eq!(finding["mend"], format!("kill {}", sleep.pid()));
}

#[test]
fn a_link_above_is_told_of_and_followed() {
    if !must_be_root() {
        return;
    }
    let (root, beside) = (TestRoot::new(), TestRoot::new());
    root.put("bin/su", "x", 0o4755);
    std::os::unix::fs::symlink(root.path(), beside.join("link")).unwrap();
    let mut command = isol_with(["root", "audit", "--json"]);
    let run = run(command.arg(beside.join("link")));
    let value: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    // Both are as bad, so that their paths decide.
    let mut told = whats(&value);
    told.sort_unstable();
    assert_eq!((run.status, told), (Some(1), vec!["link-above", "set-uid"]));
}

#[test]
fn bad_input_is_refused() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let of = |path: &str| run(&mut isol_with(["root", "audit", path]));
    of("/no/such/root").refused(125, &["root-audit", "/no does not exist"]);
    of("/etc/passwd").refused(125, &["/etc/passwd is not a directory"]);
    of("/").refused(125, &["/ is no root"]);
    for (options, texts) in [
        (&["--user", "no-such-user-here"][..], &["no-such-user-here"][..]),
        (&["--user", "auto"], &["--user NAME"]),
        (&["--user", "0"], &["uid 0"]),
        (&["--host-files"], &["--user"]),
        (&["--ignore", "set-uit"], &["set-uid"]),
        (&["--device", "/dev/nosuch"], &["/dev/nosuch is no device", "No such file"]),
        (&["--device", "/etc/passwd"], &["/etc/passwd is no device"]),
    ] {
        audit(&root, options).refused(125, texts);
    }
    let mut quiet = isol_with(["root", "audit", "--json", "/no/such/root"]);
    let said = run(&mut quiet).err;
    let error: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(error["error"]["step"], "root-audit");
}

#[test]
fn every_kind_of_finding_is_documented() {
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/roots.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let told: BTreeSet<_> = rows
        .filter_map(|(id, rest)| Some((id.to_owned(), rest.split_once(" |")?.0.to_owned())))
        .collect();
    let help = run(&mut isol_with(["root", "audit", "--help"])).out;
    let kinds = help.split("possible values: ").nth(1).unwrap().split(']').next().unwrap();
    for kind in kinds.split(',').map(str::trim) {
        assert!(told.iter().any(|(id, _)| id == kind), "docs/roots.md has no row for {kind}");
    }
}
