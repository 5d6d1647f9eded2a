//! The parent that stays, and the one that does not.

use std::process::Command;

use isol_tests::{
    Started, TestRoot, children, isol_with, must_be_root, own_uid, run, state, until,
};
use nix::sys::signal::Signal;

fn supervised(root: &TestRoot, script: &str) -> Started {
    Started::new(&mut isol_with(["run", "--root", root.text(), "--", "/bin/sh", "-c", script]))
}

#[test]
fn without_anything_to_clean_up_isol_becomes_the_program() {
    if !must_be_root() {
        return;
    }
    let (root, uid) = (TestRoot::new(), own_uid().to_string());
    let words = [
        "run",
        "--root",
        root.text(),
        "--user",
        &uid,
        "--",
        "/bin/sh",
        "-c",
        "echo $$; read x; kill -9 $$",
    ];
    let mut program = Started::new(&mut isol_with(words));
    assert_eq!(program.line(), program.pid().to_string());
    assert_eq!(program.end(), (None, Some(9)), "its parent sees the signal itself");
}

#[test]
fn every_signal_is_passed_on() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let names = ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH", "CONT", "TSTP"];
    let traps: String = names.iter().map(|n| format!("trap 'echo {n}' {n}; ")).collect();
    let script = format!("{traps} echo ready; while :; do sleep 1 & wait; done");
    let mut program = supervised(&root, &script);
    assert_eq!(program.line(), "ready");
    for name in names {
        program.signal(format!("SIG{name}").parse().expect("a signal"));
        assert_eq!(program.line(), name);
    }
    program.signal(Signal::SIGTERM);
    assert_eq!(program.line(), "TERM", "it goes on after every one of them");
    program.signal(Signal::SIGKILL);
}

#[test]
fn a_signal_that_isol_was_started_to_ignore_is_passed_on() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let script = "trap 'echo HUP' HUP; echo ready; while :; do sleep 1 & wait; done";
    let isol = isol_with(["run", "--root", root.text(), "--", "/bin/sh", "-c", script]);
    // As nohup(1) starts a program.
    let mut ignoring = Command::new("/bin/sh");
    ignoring.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]);
    ignoring.arg(isol.get_program()).args(isol.get_args());
    let mut program = Started::new(&mut ignoring);
    assert_eq!(program.line(), "ready");
    program.signal(Signal::SIGHUP);
    assert_eq!(program.line(), "HUP");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.end(), (Some(143), None));
}

#[test]
fn a_stop_stops_both_and_a_continuation_continues_both() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let mut program = supervised(&root, "echo ready; exec sleep 600");
    assert_eq!(program.line(), "ready");
    let isol = program.pid();
    let inner = children(isol)[0];
    program.signal(Signal::SIGTSTP);
    until("the program has stopped", || state(inner) == Some('T'));
    until("isol has stopped", || state(isol) == Some('T'));
    program.signal(Signal::SIGCONT);
    until("the program goes on", || state(inner) == Some('S'));
    until("isol goes on", || state(isol) == Some('S'));
    program.signal(Signal::SIGTERM);
    assert_eq!(program.end(), (Some(143), None));
}

#[test]
fn the_status_is_the_program_s() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    for (script, status) in
        [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -15 $$", 143), ("kill -9 $$", 137)]
    {
        let out =
            run(&mut isol_with(["run", "--root", root.text(), "--", "/bin/sh", "-c", script]));
        assert_eq!((out.status, out.err.as_str()), (Some(status), ""), "{script}");
    }
}

#[test]
fn what_runs_on_under_an_allotted_uid_is_ended() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let marker = format!("8888{}", std::process::id());
    let script = format!(
        "for i in 1 2 3 4 5; do sleep {marker} & done; setsid sleep {marker} & sleep 1; id -u"
    );
    let out = run(&mut isol_with(["run", "--root", root.text(), "--", "/bin/sh", "-c", &script]));
    assert_eq!(out.status, Some(0), "{out:#?}");
    let left = isol_tests::running_with(&format!("sleep {marker}"));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_time_limit_ends_the_program() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let limited = |script: &str| {
        run(&mut isol_with([
            "run",
            "--timeout",
            "0.3",
            "--root",
            root.text(),
            "--",
            "/bin/sh",
            "-c",
            script,
        ]))
    };
    let polite = limited("exec sleep 600");
    assert_eq!(polite.status, Some(143), "{polite:#?}");
    assert!(polite.err.starts_with("isol: timeout: "), "{polite:#?}");
    assert_eq!(limited("trap : TERM; while :; do sleep 1; done").status, Some(137));
}

#[test]
fn a_supervisor_that_is_told_to_end_cleans_up() {
    if !must_be_root() {
        return;
    }
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let busybox = isol_tests::BUSYBOX;
        let mut program = Started::new(&mut isol_with([
            "run",
            "--",
            busybox,
            "sh",
            "-c",
            "echo $$; exec /bin/busybox sleep 600",
        ]));
        let inner: i32 = program.line().parse().expect("a pid");
        let root = std::fs::read_link(format!("/proc/{inner}/root")).expect("it runs");
        assert!(root.starts_with("/run/isol") || root.starts_with("/var/lib/isol"), "{root:?}");
        program.signal(signal);
        assert_eq!(program.end(), (Some(128 + signal as i32), None));
        assert!(!root.exists(), "{root:?} is left");
    }
}
