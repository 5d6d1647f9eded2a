//! Whoever has a uid in any of its forms is found.

use std::os::unix::process::CommandExt;
use std::process::Command;

use isol_core::{Os, Uid};
use isol_steps::HeldUid;
use isol_sys::os::HOST;
use isol_sys::processes::under;
use isol_tests::{Started, TestRoot, isol_path, must_be_root, must_have, own_uid, run};

/// A process that runs these lines of Python, says `ready`, and waits for its standard input to end.
fn python(lines: &str) -> Started {
    let script = format!(
        "import ctypes, os, sys, threading\n\
         {lines}\n\
         print('ready', flush=True)\n\
         sys.stdin.read()"
    );
    let mut started = Started::new(Command::new("python3").args(["-c", &script]));
    assert_eq!(started.line(), "ready");
    started
}

fn found(uid: u32) -> Vec<i32> {
    let uid = Uid::new(uid).expect("a uid");
    under(uid).expect("a list").iter().map(|process| process.pid.get()).collect()
}

#[test]
fn one_of_the_uids_is_enough() {
    if !must_be_root() || !must_have(&["python3"]) {
        return;
    }
    let uid = own_uid();
    assert_eq!(found(uid), [0_i32; 0]);
    for ids in ["{0}, 0, 0", "0, {0}, 0", "0, 0, {0}", "1, {0}, 2", "1, 2, {0}", "{0}, 1, 2"] {
        let ids = ids.replace("{0}", &uid.to_string());
        let process = python(&format!("os.setresuid({ids})"));
        assert_eq!(found(uid), [process.pid().as_raw()], "{ids}");
        drop(process);
        assert_eq!(found(uid), [0_i32; 0], "{ids}");
    }
}

#[test]
fn another_thread_s_real_uid_is_enough() {
    if !must_be_root() || !must_have(&["python3"]) || HOST != Os::Linux {
        return;
    }
    let uid = own_uid();
    // setresuid(2), whose raw call changes the calling thread alone: its number.
    let process = python(&format!(
        "number = {{'x86_64': 117, 'aarch64': 147}}[os.uname().machine]\n\
         done = threading.Event()\n\
         def drop():\n    ctypes.CDLL(None).syscall(number, {uid}, {uid}, {uid}); done.set(); threading.Event().wait()\n\
         threading.Thread(target=drop, daemon=True).start()\n\
         done.wait()"
    ));
    assert_eq!(found(uid), [process.pid().as_raw()]);
}

#[test]
fn a_process_whose_first_thread_has_ended_is_still_one() {
    if !must_be_root() || !must_have(&["python3"]) {
        return;
    }
    let uid = own_uid();
    let script = format!(
        "import ctypes, os, sys, threading, time\n\
         os.setresuid({uid}, {uid}, {uid})\n\
         def stay():\n    time.sleep(0.2); print('ready', flush=True); time.sleep(60)\n\
         threading.Thread(target=stay).start()\n\
         ctypes.CDLL(None).pthread_exit(None)"
    );
    let mut process = Started::new(Command::new("python3").args(["-c", &script]));
    assert_eq!(process.line(), "ready");
    assert_eq!(found(uid), [process.pid().as_raw()]);
}

#[test]
fn one_that_only_waits_to_be_waited_for_is_none() {
    if !must_be_root() || !must_have(&["python3"]) {
        return;
    }
    let uid = own_uid();
    let process = python(&format!(
        "child = os.fork()\n\
         if child == 0:\n    os.setresuid({uid}, {uid}, {uid}); os._exit(0)\n\
         os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)"
    ));
    assert_eq!(found(uid), [0_i32; 0]);
    drop(process);
}

/// Of a container: what is outside of its pid namespace is not seen, and may have the same uid.
#[test]
fn in_a_container_nobody_claims_to_know_who_has_a_uid() {
    if !must_be_root() || !must_have(&["unshare", "setpriv"]) || HOST != Os::Linux {
        return;
    }
    let root = TestRoot::new();
    let uid = own_uid().to_string();
    let alone =
        ["--reuid", &uid, "--regid", &uid, "--clear-groups", "sh", "-c", "echo ready; read x"];
    let mut outside = Started::new(Command::new("setpriv").args(alone));
    assert_eq!(outside.line(), "ready");
    let isol = isol_path();
    let inside = |more: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--mount-proc"]).arg(&isol);
        command.args(["run", "-v", "--backend", "chroot", "--root", root.text(), "--user", &uid]);
        run(command.args(more).args(["--", "/bin/true"]))
    };
    let out = inside(&[]);
    assert_eq!(out.status, Some(0), "{out:#?}");
    assert!(out.err.contains("not in force: uid-dedicated: isol runs in a container"), "{out:#?}");
    inside(&["--require", "uid-dedicated"]).refused(125, &["uid-dedicated", "container"]);
}

#[test]
fn a_uid_that_owns_something_is_not_given_away() {
    if !must_be_root() || !must_have(&["ipcmk"]) || HOST != Os::Linux {
        return;
    }
    let free = || HeldUid::find().expect("a uid").uid();
    let first = free();
    assert_eq!(free(), first, "the search begins where it did");
    let mut make = Command::new("ipcmk");
    make.args(["--queue"]).uid(first.get()).gid(first.get());
    run(&mut make).succeeded();
    let passed_over = free() != first;
    for object in isol_sys::sysv::of_user(first).expect("a list") {
        isol_sys::sysv::remove(object).expect("removed");
    }
    assert!(passed_over);
    assert_eq!(free(), first);
}
