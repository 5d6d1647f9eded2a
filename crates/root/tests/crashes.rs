//! Many processes at once, and such as are killed: nothing is disturbed, and nothing is left.

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Scratch, closure, host, options};
use isol_root::{Throwaway, sweep};
use isol_sys::state::StateDir;

/// Another process that does `task`: this test's own executable, told to run nothing but `helper`.
fn start(task: &str, state: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "helper"]).env("ISOL_TEST_TASK", task).env("ISOL_TEST_STATE", state);
    command.stdout(Stdio::null()).spawn().unwrap()
}

mod task {
    use super::*;

    /// Makes and removes roots for ever.
    pub(super) fn create(state: &StateDir) {
        let closure = closure("/bin/sh", &[]);
        loop {
            Throwaway::create(state, &host(), &closure, &options()).unwrap().remove().unwrap();
        }
    }

    /// A few rounds of everything at once.
    pub(super) fn contend(state: &StateDir) {
        let closure = closure("/bin/true", &[]);
        for _ in 0..3 {
            let root = Throwaway::create(state, &host(), &closure, &options()).unwrap();
            let swept = sweep(state, |_| true).unwrap();
            assert!(swept.failed.is_empty(), "{swept:?}");
            for entry in &closure.entries {
                assert!(
                    root.path()
                        .join(entry.path.strip_prefix("/").unwrap())
                        .symlink_metadata()
                        .is_ok()
                );
            }
            assert!(root.path().join("etc/group").exists());
            root.remove().unwrap();
        }
    }
}

/// Not a test of its own: see `start`.
#[test]
fn helper() {
    let Some(state) = std::env::var_os("ISOL_TEST_STATE") else { return };
    let state = StateDir::open_at(state.as_ref()).unwrap();
    match std::env::var("ISOL_TEST_TASK").unwrap().as_str() {
        "create" => task::create(&state),
        "contend" => task::contend(&state),
        task => panic!("{task}?"),
    }
}

#[test]
fn whoever_is_killed_at_any_moment_leaves_nothing_for_long() {
    let scratch = Scratch::new();
    for round in 0..60 {
        let mut child = start("create", scratch.state.path());
        std::thread::sleep(std::time::Duration::from_micros(20_000 + 700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let swept = sweep(&scratch.state, |_| panic!()).unwrap();
        assert!(swept.failed.is_empty(), "{swept:?}");
        assert_eq!(scratch.entries(), [""; 0], "after {swept:?}");
    }
    scratch.expect_empty();
}

#[test]
fn two_hundred_processes_do_not_disturb_each_other() {
    let scratch = Scratch::new();
    let children: Vec<_> = (0..200).map(|_| start("contend", scratch.state.path())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    scratch.expect_empty();
}
