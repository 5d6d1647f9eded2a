//! What a program sees of itself, and of the caller's state.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;

use isol_tests::{Run, TestRoot, isol_path, must_be_root, must_have, own_uid, run};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// Runs isol in a mount namespace of its own, where the root has a /proc.
fn with_proc(root: &TestRoot, options: &str, program: &str) -> Run {
    let isol = isol_path();
    let line = format!(
        "mount -t proc proc {root}/proc && exec {isol} run --root {root} {options} -- {program}",
        root = root.text(),
        isol = isol.display(),
    );
    run(Command::new("unshare").args(["--mount", "--propagation", "private", "sh", "-c", &line]))
}

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find_map(|l| l.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {status}")).trim()
}

#[test]
fn the_kernel_shows_nothing_left() {
    if !must_be_root() || !must_have(&["unshare"]) {
        return;
    }
    let (root, uid) = (TestRoot::new(), own_uid());
    let out = with_proc(
        &root,
        &format!("--user {uid}:77 --groups 1234,99"),
        "/bin/cat /proc/self/status",
    );
    let status = out.succeeded();
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(field(status, set), "0000000000000000", "{set}");
    }
    assert_eq!(field(status, "NoNewPrivs:"), "1");
    assert_eq!(field(status, "Groups:"), "99 1234");
    let all = |id: u32| [id; 4].map(|n| n.to_string()).join("\t");
    assert_eq!(field(status, "Uid:"), all(uid));
    assert_eq!(field(status, "Gid:"), all(77));
    assert_eq!(field(status, "SigBlk:"), "0000000000000000");
    assert_eq!(field(status, "SigIgn:"), "0000000000000000");
    assert_eq!(field(status, "Umask:"), "0022");
    let none = with_proc(&root, &format!("--user {uid}:77"), "/bin/cat /proc/self/status");
    assert_eq!(field(none.succeeded(), "Groups:"), "");
}

/// Descriptors that a careless caller leaves open, directories among them.
fn leak() -> Vec<File> {
    let paths = ["/", "/etc", "/etc/passwd", "/dev/null", "/tmp"];
    let opened = paths.iter().cycle().take(50).map(|path| {
        let file = File::open(path).expect("it is there");
        fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).expect("it is open");
        file
    });
    opened.collect()
}

#[test]
fn no_descriptor_of_the_caller_s_is_left_but_those_that_are_named() {
    if !must_be_root() || !must_have(&["unshare"]) {
        return;
    }
    let root = TestRoot::new();
    let leaked = leak();
    let list = "ls /proc/$$/fd; :";
    let inside = &format!("/bin/sh -c '{list}'");
    let plain = with_proc(&root, &format!("--user {}", own_uid()), inside);
    assert_eq!(plain.succeeded().split_whitespace().collect::<Vec<_>>(), ["0", "1", "2"]);
    let supervised = with_proc(&root, "", inside);
    assert_eq!(supervised.succeeded().split_whitespace().collect::<Vec<_>>(), ["0", "1", "2"]);
    // /etc/passwd
    let passed = leaked[2].as_raw_fd().to_string();
    let named = with_proc(&root, &format!("--user {} --pass-fd {passed}", own_uid()), inside);
    let expected = ["0", "1", "2", passed.as_str()];
    let mut found: Vec<_> = named.succeeded().split_whitespace().collect();
    found.sort_by_key(|n| n.parse::<u32>().ok());
    assert_eq!(found, expected);
    // The check of the check: without isol all of them are there.
    let bare = run(Command::new("sh").args(["-c", list]));
    assert!(bare.succeeded().split_whitespace().count() >= 53, "{bare:?}");
}

#[test]
fn the_caller_s_signal_state_and_priority_are_reset() {
    if !must_be_root() || !must_have(&["unshare", "nice", "taskset"]) {
        return;
    }
    let (root, uid, isol) = (TestRoot::new(), own_uid(), isol_path());
    let line = format!(
        "mount -t proc proc {root}/proc; trap '' INT HUP USR1; umask 077; \
         exec nice -n 7 taskset -c 0 {isol} run --root {root} --user {uid} -- /bin/cat /proc/self/status /proc/self/stat",
        root = root.text(),
        isol = isol.display(),
    );
    let out = run(Command::new("unshare").args([
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        &line,
    ]));
    let status = out.succeeded();
    assert_eq!(field(status, "SigIgn:"), "0000000000000000");
    assert_eq!(field(status, "Umask:"), "0022");
    let cpus = std::thread::available_parallelism().expect("it is known").get();
    let allowed = field(status, "Cpus_allowed_list:");
    assert!(cpus == 1 || allowed != "0", "only CPU {allowed}");
    let stat = status.lines().last().expect("the last line is stat's");
    let nice = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(16));
    assert_eq!(nice, Some("0"));
}

#[test]
fn no_second_root_no_device_no_mount_no_user_namespace() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let attacks = [
        "chroot /tmp /bin/busybox true",
        "mknod /tmp/disk b 8 0",
        "mount -t tmpfs none /tmp",
        "unshare -U /bin/busybox true",
        "unshare -m /bin/busybox true",
        "unshare -n /bin/busybox true",
    ];
    for attack in attacks {
        let script = format!("busybox {attack} 2>&1");
        let line = ["run", "--root", root.text(), "--", "/bin/busybox", "sh", "-c", &script];
        let out = run(&mut isol_tests::isol_with(line));
        assert_ne!(out.status, Some(0), "{attack}: {out:#?}");
        let why = ["not permitted", "denied", "must be root", "are you root"];
        assert!(
            why.iter().any(|w| out.out.contains(w)),
            "refused for another reason: {attack}: {out:#?}"
        );
    }
    // The check of the check: root outside does one of them.
    let bare = run(Command::new("/bin/busybox").args(["unshare", "-U", "/bin/busybox", "true"]));
    assert_eq!(bare.status, Some(0), "{bare:#?}");
}
