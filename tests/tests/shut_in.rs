//! The filter of system calls and Landlock, as the user meets them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use isol_tests::{Started, TestRoot, isol, isol_with, must_be_root, must_have, own_uid, run};

/// What a program says that asks for another execution domain: `0`, or the errno.
const ASKS: &str = r#"
    #include <errno.h>
    #include <stdio.h>
    #include <string.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    int main(int argc, char **argv) {
        if (argc > 1 && !strcmp(argv[1], "x32"))
            return syscall(0x40000000 | SYS_getpid) == -1 ? errno : 0;
        if (argc > 1) { /* as a program of i386's: getpid(2) */
            long answer = 20;
    #ifdef __x86_64__
            __asm__ volatile("int $0x80" : "+a"(answer) : : "r8", "r9", "r10", "r11", "memory");
    #endif
            return answer <= 0;
        }
        long answer = syscall(SYS_personality, 0x0040000);
        printf("%d\n", answer == -1 ? errno : 0);
        return 0;
    }
"#;

fn with_asks() -> Option<TestRoot> {
    if !must_be_root() || !must_have(&["cc"]) {
        return None;
    }
    let root = TestRoot::new();
    let source = root.put("asks.c", ASKS, 0o644);
    let made =
        run(Command::new("cc").arg("-static").arg("-o").arg(root.join("bin/asks")).arg(source));
    made.succeeded();
    Some(root)
}

/// `isol run`, as a uid of the test's own: isol becomes the program.
fn becoming(root: &TestRoot, options: &[&str], program: &[&str]) -> Command {
    let mut command = isol_with(["run", "--root", root.text(), "--user", &own_uid().to_string()]);
    command.args(options).arg("--").args(program);
    command
}

/// The same with an allotted uid: isol stays as the parent.
fn supervising(root: &TestRoot, options: &[&str], program: &[&str]) -> Command {
    let mut command = isol_with(["run", "--root", root.text()]);
    command.args(options).arg("--").args(program);
    command
}

#[test]
fn what_no_program_needs_is_refused_and_goes_through_where_it_is_asked_for() {
    let Some(root) = with_asks() else { return };
    for run_as in [becoming, supervising] {
        let says = |options: &[&str]| {
            run(&mut run_as(&root, options, &["/bin/asks"])).succeeded().trim().to_owned()
        };
        assert_eq!(says(&[]), "1", "EPERM");
        assert_eq!(says(&["--seccomp", "default"]), "1");
        assert_eq!(says(&["--seccomp", "default+keys"]), "1");
        assert_eq!(says(&["--seccomp", "default+keys+personality"]), "0");
        assert_eq!(says(&["--seccomp", "none"]), "0");
    }
}

#[test]
fn a_refused_call_is_named() {
    let Some(root) = with_asks() else { return };
    let told = run(&mut supervising(&root, &["-v"], &["/bin/asks"]));
    assert_eq!((told.status, told.out.as_str()), (Some(0), "1\n"), "{told:#?}");
    let words = "isol: refused: personality(2) (";
    assert!(told.err.contains(words), "{told:#?}");
    assert!(told.err.contains("--seccomp default+personality lets it through"), "{told:#?}");
    // Where isol has become the program there is nobody to tell it; the kernel's log does.
    let becoming = run(&mut becoming(&root, &["-v"], &["/bin/asks"]));
    assert_eq!((becoming.status, becoming.out.as_str()), (Some(0), "1\n"), "{becoming:#?}");
    let without = run(&mut supervising(&root, &["-v", "--seccomp", "none"], &["/bin/asks"]));
    assert!(
        without.err.contains("filter of system calls is not there: --seccomp none"),
        "{without:#?}"
    );
    assert!(!without.err.contains("refused: personality"), "{without:#?}");
}

#[test]
fn calls_of_other_architectures_end_the_program() {
    let Some(root) = with_asks() else { return };
    let bare = run(&mut supervising(&root, &["--seccomp", "none"], &["/bin/asks", "i386"]));
    if bare.status != Some(0) {
        // No x86, or a kernel without i386 programs: then there is nothing to end.
        return;
    }
    let ended = run(&mut supervising(&root, &[], &["/bin/asks", "i386"]));
    assert_eq!(ended.status, Some(128 + 31), "{ended:#?}");
    assert!(ended.err.contains("-v names it"), "{ended:#?}");
    let told = run(&mut supervising(&root, &["-v"], &["/bin/asks", "i386"]));
    assert_eq!(told.status, Some(128 + 9), "{told:#?}");
    assert!(
        told.err.contains("isol: refused: system call 20 of another architecture"),
        "{told:#?}"
    );
    let seen = run(&mut becoming(&root, &[], &["/bin/asks", "i386"]));
    assert_eq!(seen.signal, Some(31), "{seen:#?}");
    // ENOSYS, whether this kernel has the x32 ABI or not.
    assert_eq!(run(&mut becoming(&root, &[], &["/bin/asks", "x32"])).status, Some(38));
}

fn put(name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = std::env::temp_dir().join(format!("isol-test-{}-{name}", std::process::id()));
    fs::write(&path, bytes).unwrap();
    path
}

/// A compiled filter that answers EXDEV to mkdir(2) and mkdirat(2) and lets all else through.
fn compiled() -> Vec<u8> {
    let [mkdir, mkdirat] = match std::env::consts::ARCH {
        "aarch64" => [34, 34],
        _ => [83, 258],
    };
    let instruction = |code: u16, if_true: u8, if_false: u8, k: u32| {
        [&code.to_ne_bytes()[..], &[if_true, if_false], &k.to_ne_bytes()].concat()
    };
    [
        instruction(0x20, 0, 0, 0),
        instruction(0x15, 1, 0, mkdir),
        instruction(0x15, 0, 1, mkdirat),
        instruction(0x06, 0, 0, 0x0005_0000 | 18),
        instruction(0x06, 0, 0, 0x7fff_0000),
    ]
    .concat()
}

const JSON: &str = r#"{"mine": {
    "mismatch_action": "allow",
    "match_action": {"errno": 18},
    "filter": [{"syscall": "mkdirat"},
               {"syscall": "CALL"}]
}}"#;

fn json() -> String {
    JSON.replace("CALL", if cfg!(target_arch = "aarch64") { "mkdirat" } else { "mkdir" })
}

#[test]
fn a_filter_of_one_s_own_takes_the_place_of_the_default_one() {
    let Some(root) = with_asks() else { return };
    for (name, bytes) in [("filter.json", json().into_bytes()), ("filter.bpf", compiled())] {
        let file = put(name, bytes);
        let options = ["--seccomp", file.to_str().unwrap()];
        let made = run(&mut supervising(&root, &options, &["/bin/busybox", "mkdir", "/tmp/made"]));
        assert_eq!(made.status, Some(1), "{name}: {made:#?}");
        assert!(made.err.to_lowercase().contains("cross-device"), "{name}: {made:#?}");
        assert_eq!(run(&mut becoming(&root, &options, &["/bin/asks"])).succeeded(), "0\n");
        let verbose = [&options[..], &["-v"]].concat();
        let told = run(&mut supervising(&root, &verbose, &["/bin/busybox", "mkdir", "/tmp/made"]));
        assert!(told.err.contains("isol: refused: mkdir"), "{name}: {told:#?}");
        fs::remove_file(file).unwrap();
    }
}

#[track_caller]
fn no_filter(root: &TestRoot, name: &str, bytes: impl AsRef<[u8]>, texts: &[&str]) {
    let file = put(name, bytes);
    let refused = run(&mut becoming(root, &["--seccomp", file.to_str().unwrap()], &["/bin/true"]));
    fs::remove_file(&file).unwrap();
    refused.refused(125, &["isol: seccomp: ", file.to_str().unwrap()]).refused(125, texts);
}

#[test]
fn what_is_no_filter_is_refused_and_the_line_is_told() {
    let Some(root) = with_asks() else { return };
    let root = &root;
    let known = json();
    no_filter(
        root,
        "unknown",
        known.replace("\"mkdirat\"},", "\"mkdiratt\"},"),
        &["line 4: no system call of this architecture is called mkdiratt"],
    );
    no_filter(root, "errno", known.replace("18", "\"EXDEV\""), &["is no filter: line 3, column"]);
    no_filter(root, "cut", &known[..known.len() - 2], &["is no filter: line 6, column"]);
    no_filter(root, "empty", "", &["1 to 4096 instructions, and this has 0"]);
    no_filter(root, "odd", "1234567", &["instructions of 8 bytes, and this has 7 bytes"]);
    no_filter(
        root,
        "endless",
        [0, 0, 0, 0, 1, 0, 0, 0],
        &["the kernel takes no filter", "Invalid argument"],
    );
    let kills = r#"{"a": {"mismatch_action": "kill_process", "match_action": "allow", "filter": [
        {"syscall": "prctl"}, {"syscall": "exit_group"}]}}"#;
    no_filter(
        root,
        "kills",
        kills,
        &["lets nothing start", "execve(2), which isol calls behind it"],
    );
    let missing = run(&mut becoming(root, &["--seccomp", "/nowhere/filter"], &["/bin/true"]));
    missing.refused(125, &["isol: seccomp: can't read the filter /nowhere/filter"]);
    let slip = run(&mut becoming(root, &["--seccomp", "default+io_uring"], &["/bin/true"]));
    slip.refused(
        125,
        &["no rule of the default filter is called `io_uring`", "did you mean `io-uring`?"],
    );
}

#[test]
fn a_jail_has_neither() {
    for (option, what) in [
        (["--seccomp", "default"], "jail can't do a filter of system calls"),
        (["--seccomp", "/x"], "jail can't do a filter of system calls"),
        (["--landlock", "files"], "jail can't do Landlock"),
    ] {
        let mut plan = isol_with(["plan", "--backend", "jail", "--root", "/srv/x"]);
        run(plan.args(option).args(["--", "/bin/true"])).refused(125, &[what, "it is Linux's"]);
    }
    let mut none =
        isol_with(["plan", "--backend", "jail", "--seccomp", "none", "--root", "/srv/x"]);
    run(none.args(["--", "/bin/true"])).succeeded();
}

#[test]
fn the_plan_shows_both_and_the_filter_comes_last() {
    let mut plan = isol();
    plan.args([
        "plan",
        "--root",
        "/srv/x",
        "--user",
        "70000",
        "--landlock",
        "write=/tmp,signals,bind=80",
    ]);
    let plan = run(plan.args(["--seccomp", "default+io-uring", "--", "/bin/true"]));
    let text = plan.succeeded();
    let (landlock, seccomp) = (text.find("\n  landlock "), text.find("\n  seccomp "));
    assert!(landlock.is_some() && landlock < seccomp, "{text}");
    assert!(text.contains("files write=/tmp signals bind=80"), "{text}");
    assert!(text.contains("userfaultfd") && !text.contains("io-uring"), "{text}");
    let mut none = isol();
    none.args(["plan", "--root", "/srv/x", "--seccomp", "none", "--", "/bin/true"]);
    let none = run(&mut none);
    assert!(!none.succeeded().contains("\n  seccomp "), "{none:#?}");
}

fn has_landlock(version: u32) -> bool {
    let found = isol_sys::landlock::version().unwrap_or(0);
    let reason = format!("it takes version {version} of Landlock, and this kernel has {found}");
    isol_tests::unless((found < version).then_some(reason.as_str()))
}

#[test]
fn landlock_lets_write_only_where_it_was_asked_for() {
    if !must_be_root() || !has_landlock(3) {
        return;
    }
    let root = TestRoot::new();
    root.put("tmp/in/file", "", 0o666);
    fs::set_permissions(root.join("tmp/in"), std::os::unix::fs::PermissionsExt::from_mode(0o1777))
        .unwrap();
    let script = "for f in /tmp/a /tmp/in/b; do echo x >$f && echo $f; done 2>/dev/null; cat /tmp/in/file; echo end";
    let wrote = |landlock: &[&str]| {
        for made in ["tmp/a", "tmp/in/b"] {
            let _ = fs::remove_file(root.join(made));
        }
        let options: Vec<_> = landlock.iter().flat_map(|word| ["--landlock", word]).collect();
        let got = run(&mut becoming(&root, &options, &["/bin/sh", "-c", script]));
        got.succeeded().replace('\n', " ")
    };
    root.put("dev/null", "", 0o666);
    assert_eq!(wrote(&[]), "/tmp/a /tmp/in/b end ");
    assert_eq!(wrote(&["files"]), "end ");
    assert_eq!(wrote(&["write=/tmp/in"]), "/tmp/in/b end ");
    assert_eq!(wrote(&["write=/tmp"]), "/tmp/a /tmp/in/b end ");
    let nowhere = run(&mut becoming(&root, &["--landlock", "write=/nowhere"], &["/bin/true"]));
    nowhere.refused(125, &["isol: landlock: /nowhere of the root can't be made writable"]);
    let link = run(&mut becoming(&root, &["--landlock", "write=/bin/true"], &["/bin/true"]));
    link.refused(125, &["isol: landlock: /bin/true of the root can't be made writable"]);
    let slip = run(&mut becoming(&root, &["--landlock", "file"], &["/bin/true"]));
    slip.refused(125, &["`file` is nothing that Landlock confines"]);
}

#[test]
fn landlock_keeps_signals_in() {
    if !must_be_root() || !has_landlock(6) {
        return;
    }
    let root = TestRoot::new();
    let mut outside =
        Started::new(&mut becoming(&root, &[], &["/bin/sh", "-c", "echo up; sleep 600"]));
    assert_eq!(outside.line(), "up");
    let kill = format!("kill -0 {} && echo reached", outside.pid());
    let reached = |options: &[&str]| {
        let shared = [&["--allow", "shared-uid"], options].concat();
        // As the same uid as the one outside.
        let mut command = isol_with(["run", "--root", root.text(), "--user", &last_uid(&outside)]);
        command.args(shared).args(["--", "/bin/sh", "-c", &kill]);
        run(&mut command).out
    };
    assert_eq!(reached(&[]), "reached\n");
    assert_eq!(reached(&["--landlock", "signals"]), "");
    assert_eq!(reached(&["--landlock", "files"]), "reached\n");
}

fn last_uid(started: &Started) -> String {
    let status =
        fs::read_to_string(Path::new("/proc").join(started.pid().to_string()).join("status"));
    let status = status.unwrap();
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    uids.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn landlock_keeps_tcp_to_its_ports() {
    if !must_be_root() || !has_landlock(4) {
        return;
    }
    let root = TestRoot::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    let goes = |options: &[&str], nc: &str| {
        let script = format!("busybox timeout 1 busybox nc {nc} </bin/busybox 2>&1; :");
        let said = run(&mut becoming(&root, options, &["/bin/busybox", "sh", "-c", &script]));
        assert_eq!(said.status, Some(0), "{said:#?}");
        assert!(!said.out.contains("not found"), "{said:#?}");
        !said.out.contains("ermission denied")
    };
    let connects = |options: &[&str]| goes(options, &format!("127.0.0.1 {port}"));
    assert!(connects(&[]));
    assert!(!connects(&["--landlock", "connect=none"]));
    assert!(connects(&["--landlock", &format!("connect=1,connect={port}")]));
    assert!(connects(&["--landlock", "bind=none"]));
    drop(free);
    let binds = |options: &[&str]| goes(options, &format!("-l -p {port}"));
    assert!(binds(&[]));
    assert!(!binds(&["--landlock", "bind=none"]));
    assert!(binds(&["--landlock", &format!("bind={port}")]));
}
