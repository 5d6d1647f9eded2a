use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use super::*;
use crate::rootdir::Flaw;

fn scratch() -> (tempfile::TempDir, StateDir) {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open_at(&dir.path().canonicalize().unwrap().join("state")).unwrap();
    (dir, state)
}

fn is_empty(state: &StateDir) -> bool {
    fs::read_dir(state.path()).unwrap().next().is_none()
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn it_is_made_private_whatever_the_umask() {
    let (_dir, state) = scratch();
    assert_eq!(Meta::of(&state).unwrap().permissions(), 0o700);
    assert!(is_empty(&state));
    StateDir::open_at(state.path()).unwrap();
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn one_that_others_could_change_is_refused() {
    let (_dir, state) = scratch();
    for mode in [0o770, 0o702, 0o1777] {
        fs::set_permissions(state.path(), PermissionsExt::from_mode(mode)).unwrap();
        let error = StateDir::open_at(state.path()).unwrap_err();
        let StateError::Untrusted(RootDirError::Unsafe {
            what: Flaw::WritableByOthers,
            mode: named,
            ..
        }) = &error
        else {
            panic!("{error}")
        };
        assert_eq!(*named, mode);
        assert!(error.mend().unwrap().starts_with("chmod go-w "), "{error}");
        assert!(!error.is_absence(state.path()), "an untrusted candidate must not be passed over");
    }
    let link = state.path().with_file_name("link");
    symlink("state", &link).unwrap();
    let error = StateDir::open_at(&link).unwrap_err();
    assert!(error.to_string().ends_with("link is a symbolic link"), "{error}");
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn one_below_a_directory_that_others_could_change_is_refused() {
    let (dir, state) = scratch();
    fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(matches!(StateDir::open_at(state.path()), Err(StateError::Untrusted(_))));
    fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o1777)).unwrap();
    StateDir::open_at(state.path()).unwrap();
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn a_missing_place_is_absence() {
    let error = StateDir::open_at(Path::new("/no-such-directory/isol")).unwrap_err();
    assert!(error.is_absence(Path::new("/no-such-directory/isol")), "{error}");
    let none =
        StateError::NoPlace { tried: vec![StateError::NoExec { path: "/run/isol".into() }, error] };
    assert!(none.to_string().contains("/run/isol is mounted noexec"), "{none}");
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn a_lock_has_one_holder_and_leaves_nothing() {
    let (_dir, state) = scratch();
    let lock = state.try_lock("uid-61184").unwrap().unwrap();
    lock.set_payload("for nobody").unwrap();
    assert_eq!(lock.payload().unwrap(), (Some(std::process::id() as i32), "for nobody".to_owned()));
    assert_eq!(Meta::of(&lock).unwrap().permissions(), 0o600);
    assert!(state.try_lock("uid-61184").unwrap().is_none());
    assert!(state.try_lock("uid-61185").unwrap().is_some());
    assert_eq!(state.stale().unwrap().count(), 0);
    drop(lock);
    assert!(is_empty(&state));
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn names_stay_in_the_directory() {
    let (_dir, state) = scratch();
    for name in ["", ".", "..", "../x", "a/b", ".hidden", "a\0b", "é"] {
        assert!(matches!(state.try_lock(name), Err(StateError::BadName { .. })), "{name:?}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn a_stale_lock_is_found_kept_and_released() {
    let (_dir, state) = scratch();
    let lock = state.try_lock("root-1").unwrap().unwrap();
    lock.set_payload("left behind").unwrap();
    lock.abandon();
    for _ in 0..2 {
        let found: Vec<_> = state.stale().unwrap().map(Result::unwrap).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].payload().unwrap().1, "left behind");
        assert_eq!(state.stale().unwrap().count(), 0, "it is held now");
    }
    state.stale().unwrap().for_each(|lock| lock.unwrap().release().unwrap());
    assert!(is_empty(&state));
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn a_lock_made_anew_by_somebody_else_is_left_alone() {
    let (_dir, state) = scratch();
    let old = state.try_lock("job").unwrap().unwrap();
    fs::remove_file(state.path().join("job.lock")).unwrap();
    let new = state.try_lock("job").unwrap().unwrap();
    old.release().unwrap();
    assert!(state.has_lock("job").unwrap());
    new.release().unwrap();
    assert!(is_empty(&state));
}

/// What the processes of the test below do: 40 times, take a lock, sweep, and go, now and then without cleaning up.
fn contend(state: &StateDir) {
    let seed = std::process::id();
    for round in 0..40 {
        let name = format!("job-{}", (seed + round) % 7);
        if let Some(lock) = state.try_lock(&name).unwrap() {
            // Nobody else may hold it: the file by that name is this one for as long as it is held.
            lock.set_payload("held").unwrap();
            let named = Meta::at(state, format!("{name}.lock").as_str()).unwrap();
            assert!(named.same_file(&Meta::of(&lock).unwrap()));
            assert_eq!(lock.payload().unwrap(), (Some(seed as i32), "held".to_owned()));
            if round % 5 == 0 { lock.abandon() } else { lock.release().unwrap() }
        }
        // A name that nobody else has is to be had, however many take its file for stale while it is made.
        let own = state.try_lock(&format!("own-{seed}-{round}")).unwrap().expect("nobody has it");
        own.release().unwrap();
        for lock in state.stale().unwrap() {
            lock.unwrap().release().unwrap();
        }
    }
}

/// Not a test of its own: one of the processes of `two_hundred_processes_at_once`.
#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn contender() {
    if let Some(path) = std::env::var_os("ISOL_TEST_CONTEND") {
        contend(&StateDir::open_at(path.as_ref()).unwrap());
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn two_hundred_processes_at_once() {
    let (_dir, state) = scratch();
    let mut contender = Command::new(std::env::current_exe().unwrap());
    contender.args(["--exact", "state::tests::contender"]).env("ISOL_TEST_CONTEND", state.path());
    contender.stdout(std::process::Stdio::null());
    let children: Vec<_> = (0..200).map(|_| contender.spawn().unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    state.stale().unwrap().for_each(|lock| lock.unwrap().release().unwrap());
    assert!(is_empty(&state));
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn a_killed_holder_leaves_a_stale_lock() {
    let (_dir, state) = scratch();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "state::tests::holder"])
        .env("ISOL_TEST_HOLD", state.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !state.has_lock("killed").unwrap()
        || state.try_lock("killed").is_ok_and(|lock| lock.is_some())
    {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert_eq!(state.stale().unwrap().count(), 0);
    holder.kill().unwrap();
    holder.wait().unwrap();
    let stale: Vec<_> = state.stale().unwrap().map(Result::unwrap).collect();
    assert_eq!(stale[0].payload().unwrap().0, Some(holder.id() as i32));
}

/// Not a test of its own: the process that is killed above.
#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn holder() {
    if let Some(path) = std::env::var_os("ISOL_TEST_HOLD") {
        let state = StateDir::open_at(path.as_ref()).unwrap();
        let _lock = loop {
            if let Some(lock) = state.try_lock("killed").unwrap() {
                break lock;
            }
        };
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn what_was_never_finished_is_swept() {
    let (_dir, state) = scratch();
    for (name, held) in [(".new-1-0", false), (".new-1-1", true)] {
        let file = fs::File::create(state.path().join(name)).unwrap();
        if held {
            lock::flock(&file, nix::fcntl::FlockArg::LockExclusive).unwrap();
            assert_eq!(state.stale().unwrap().count(), 0);
            assert_eq!(state.entries().unwrap(), [name]);
            // Not left to close(2): a child that another test has forked may have the file open for a while yet.
            lock::flock(&file, nix::fcntl::FlockArg::Unlock).unwrap();
        }
    }
    assert_eq!(state.stale().unwrap().count(), 0);
    assert!(is_empty(&state));
}
