//! The library's three ways.

use std::io::{Read, Write};
use std::process::Command;

use isol::{Isolation, Policy, Status, Stdio, Uid, User};
use isol_tests::{TestRoot, built, must_be_root, own_uid, run, running_with, until};

fn policy(root: &TestRoot) -> Policy {
    let uid = Uid::new(own_uid()).expect("a uid");
    Policy::confine(root.path()).user(User::Id(uid)).build().expect("a policy")
}

fn enter(root: &TestRoot) -> Command {
    let mut command = Command::new(built("enter"));
    command.arg(root.path()).arg(own_uid().to_string());
    command
}

#[test]
fn a_spawned_program_s_pipes_and_status() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let command = isol::Command::new("/bin/cat").stdin(Stdio::Piped).stdout(Stdio::Piped);
    let mut running = Isolation::new(policy(&root)).spawn(command).expect("it starts");
    assert!(running.confined().holds(isol::Guarantee::RootConfined));
    assert!(!running.confined().holds(isol::Guarantee::PidsHidden));
    let [stdin, stdout, _] = &mut running.child_mut().pipes;
    stdin.take().expect("a pipe").write_all(b"through").expect("cat reads");
    let mut text = String::new();
    stdout.take().expect("a pipe").read_to_string(&mut text).expect("cat writes");
    assert_eq!(text, "through");
    assert_eq!(running.wait().expect("a child"), Status::Exited(0));
}

#[test]
fn a_running_program_is_killed_when_it_is_dropped() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let marker = format!("9999{}", std::process::id());
    let command = isol::Command::new("/bin/sleep").arg(&marker);
    let running = Isolation::new(policy(&root)).spawn(command).expect("it starts");
    until("it runs", || running_with(&marker).len() == 1);
    drop(running);
    until("it is gone", || running_with(&marker).is_empty());
}

#[test]
fn arguments_with_a_nul_byte_are_refused() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let command = isol::Command::new("/bin/echo").arg("a\0b");
    let error = Isolation::new(policy(&root)).spawn(command).expect_err("no kernel takes it");
    assert!(error.problem().what.contains("NUL"), "{}", error.problem());
}

#[test]
fn a_process_with_threads_is_not_locked_in() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let out = run(enter(&root).env("THREADS", "3"));
    assert_eq!(out.status, Some(1), "{out:#?}");
    assert!(
        out.out.contains("refused threads: this process can't be isolated: it has 3 other threads"),
        "{out:#?}"
    );
}

#[test]
fn a_daemon_locks_itself_in() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let out = run(enter(&root).env("LEFT", "behind"));
    let text = out.succeeded();
    for line in [
        "root bin dev etc proc tmp",
        "cwd Ok(\"/\")",
        "shadow Err(NotFound)",
        "above Err(NotFound)",
        "back false",
        "groups Ok(0)",
        "variables 0",
    ] {
        assert!(text.lines().any(|l| l == line), "no `{line}` in {text}");
    }
    assert!(text.contains("held root-confined descriptors-closed uid-dropped"), "{text}");
}
