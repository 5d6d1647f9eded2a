//! What an ordinary user can be who has been given ids in /etc/subuid and /etc/subgid.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};

use isol_tests::{
    BUSYBOX, OrdinaryUser, Started, copy_program, isol_path, run, running_with, until,
};

/// Each test has uids of its own: of two programs under one at a time the second is refused.
const FIRST: u32 = OrdinaryUser::FIRST;

#[test]
fn another_uid_and_groups_are_those_that_he_has_been_given() {
    if !OrdinaryUser::can_be() {
        return;
    }
    let user = OrdinaryUser::new();
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
    if !OrdinaryUser::can_be() {
        return;
    }
    let user = OrdinaryUser::new();
    let marker = format!("8888{}", user.uid());
    let script = format!("echo ready; exec sleep {marker}");
    let mut program =
        Started::new(&mut user.isol("run --user 53", &[BUSYBOX, "sh", "-c", &script]));
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
    assert_eq!(uids, vec![(FIRST + 52).to_string(); 4]);
    // A second one under the same uid is seen.
    user.sh("--user 53", "true").refused(125, &["already runs outside"]);
    user.sh("--user 54", "true").succeeded();
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
    if !OrdinaryUser::can_be() {
        return;
    }
    let user = OrdinaryUser::new();
    let data = tempfile::tempdir().expect("a directory");
    fs::set_permissions(data.path(), Permissions::from_mode(0o700)).expect("it is ours");
    chown(data.path(), Some(user.uid()), Some(user.uid())).expect("root may");
    let bind = format!("--bind {}:/data", data.path().display());
    let by_himself = user.sh(&format!("{bind} --groups 7"), "id -u; id -G; touch /data/himself");
    assert_eq!(by_himself.succeeded(), format!("{0}\n{0} 7\n", user.uid()));
    let owner = |name: &str| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(data.path().join(name)).map(|meta| (meta.uid(), meta.gid())).ok()
    };
    assert_eq!(owner("himself"), Some((user.uid(), user.uid())));
    // Who is somebody else has nothing of it.
    let by_another = user.sh(&format!("{bind} --user 43"), "touch /data/another");
    assert_eq!(by_another.status, Some(1), "{by_another:#?}");
    // Uid 0 is himself, and can be all the others.
    let script = "chown 43:44 /data/himself && touch /data/root && id -G";
    let powerless = user.sh(&format!("{bind} --user 0 --allow root-user"), script);
    assert_eq!(powerless.status, Some(1), "{powerless:#?}");
    let by_root = user.sh(&format!("{bind} --user 0 --allow root-user,superuser"), script);
    assert_eq!(by_root.succeeded(), "0\n");
    assert_eq!(owner("himself"), Some((FIRST + 42, FIRST + 43)));
    assert_eq!(owner("root"), Some((user.uid(), user.uid())));
}

#[test]
fn the_plan_says_who_is_whom_and_that_needs_nothing_to_be_run() {
    if !OrdinaryUser::can_be() {
        return;
    }
    let user = OrdinaryUser::new();
    let plan = run(&mut user.isol("plan --user 33:34", &[BUSYBOX, "true"]));
    let said = plan.succeeded();
    assert!(said.contains(&format!("outside, uid {}, gid {}", FIRST + 32, FIRST + 33)), "{said}");
    assert!(said.contains("newuidmap(1) and newgidmap(1)"), "{said}");
    let without = run(&mut user.isol("plan", &[BUSYBOX, "true"]));
    assert!(!without.succeeded().contains("newuidmap"), "{without:#?}");
}

#[test]
fn what_is_missing_is_said_with_what_mends_it() {
    if !OrdinaryUser::can_be() {
        return;
    }
    let mut user = OrdinaryUser::without_ids();
    let refused = |user: &OrdinaryUser, texts: &[&str]| {
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
    user.file("subgid", &format!("{}:{FIRST}:10\n", user.uid()));
    user.sh("--user 10:10", "true").succeeded();
    let more = user.sh("--backend namespaces --user 11:10", "true");
    more.refused(125, &["can't do uid 11: /etc/subuid gives fewer ids than that"]);
    // Root's ids are nobody's to give.
    user.file("subgid", "isol-test:0:10\n");
    refused(&user, &["/etc/subgid gives him none", "help: usermod"]);
    user.file("subgid", &format!("isol-test:{FIRST}:10\n"));
    // Without one of the programs, and with one that is another's.
    let mine = user.files().join("newgidmap");
    copy_program("/usr/bin/newgidmap", &mine);
    chown(&mine, Some(user.uid()), None).expect("root may");
    user.before(format!("mount --bind {} /usr/bin/newgidmap", mine.display()));
    let owner = format!("/usr/bin/newgidmap is not used: its owner is uid {}", user.uid());
    refused(&user, &[&owner, "help: apt install --reinstall uidmap"]);
    user.before("mount -t tmpfs none /mnt; cp /usr/bin/setpriv /mnt; mount --move /mnt /usr/bin");
    refused(&user, &["newuidmap(1) is not installed", "help: apt install uidmap"]);
}

#[test]
fn what_the_programs_say_is_told() {
    if !OrdinaryUser::can_be() {
        return;
    }
    let mut user = OrdinaryUser::new();
    // They look the account up, and what it has been given: another group is not its own.
    let passwd = fs::read_to_string(user.files().join("passwd")).expect("it is there");
    let old = format!("isol-test:x:{0}:{0}:", user.uid());
    user.file("passwd", &passwd.replace(&old, &format!("isol-test:x:{}:1:", user.uid())));
    user.sh("--backend namespaces --user 63:64", "true").refused(
        125,
        &["user-namespace: can't map the ids", "/usr/bin/newuidmap refuses: ", "help: grep -H"],
    );
    user.file("passwd", &passwd);
    user.sh("--user 63:64", "true").succeeded();
    // A program that is content and has written nothing.
    user.before("mount --bind /bin/true /usr/bin/newuidmap");
    user.sh("--backend namespaces --user 63:64", "true")
        .refused(125, &["has written another map than it was asked for"]);
}

#[test]
fn under_no_new_privs_a_set_uid_program_is_of_no_use() {
    if !OrdinaryUser::can_be() {
        return;
    }
    let user = OrdinaryUser::new();
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
