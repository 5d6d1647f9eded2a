//! Linux namespaces: the init, what is mounted, what a run leaves when it is killed, and ordinary users.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use isol_tests::{
    BUSYBOX, Run, Started, TestRoot, children, isol, isol_path, isol_with, must_have,
    must_have_namespaces, own_uid, run, running_with, state, unless, until,
};
use nix::sys::signal::Signal;

fn command(root: &TestRoot, options: &str, script: &str) -> Command {
    let mut command = isol_with(["run", "--backend", "namespaces", "--root", root.text()]);
    command.args(options.split_whitespace()).args(["--", "/bin/sh", "-c", script]);
    command
}

fn inside(root: &TestRoot, options: &str, script: &str) -> Run {
    run(&mut command(root, options, script))
}

#[test]
fn the_status_is_the_program_s_which_is_not_pid_1() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    for (script, status) in
        [("exit 7", 7), ("kill -15 $$", 143), ("kill -9 $$", 137), ("kill -9 1; exit 3", 3)]
    {
        let out = inside(&root, "", script);
        assert_eq!(out.status, Some(status), "{script}: {out:#?}");
    }
    assert_eq!(inside(&root, "", "echo $$; echo /proc/[0-9]*").succeeded(), "2\n/proc/2\n");
    assert_eq!(inside(&root, "", "readlink /proc/1/exe").status, Some(1));
}

#[test]
fn without_pids_of_its_own_isol_becomes_the_program() {
    if !must_have_namespaces() {
        return;
    }
    let (root, uid) = (TestRoot::new(), own_uid());
    let options = format!("--user {uid} --allow host-pids");
    let mut program = Started::new(&mut command(&root, &options, "echo $$; read x; kill -9 $$"));
    assert_eq!(program.line(), program.pid().to_string());
    assert_eq!(program.end(), (None, Some(9)));
}

/// `/proc/PID/root` is one of the ways out of a root, for whoever has the uid of that process.
#[test]
fn without_pids_of_its_own_the_program_has_no_proc() {
    if !must_have_namespaces() {
        return;
    }
    let (root, uid) = (TestRoot::new(), own_uid());
    let mut outside = Command::new("sleep").arg("1000").uid(uid).gid(uid).spawn().expect("sleep");
    let script = format!("echo /proc/*; ls /proc/{}/root", outside.id());
    let options = format!("--user {uid} --allow host-pids,shared-uid --require root-confined");
    let out = inside(&root, &options, &script);
    outside.kill().and_then(|()| outside.wait()).expect("it is ours");
    assert_eq!((out.out.as_str(), out.status), ("/proc/*\n", Some(1)), "{out:#?}");
    assert!(out.err.contains("No such file"), "{out:#?}");
}

/// isol, in a mount namespace of its own in which something has been mounted before.
fn among_other_mounts(root: &TestRoot, before: &str, script: &str) -> Command {
    let mut command = Command::new("unshare");
    let script_of_all = format!("{before} exec \"$@\"");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &script_of_all, "sh"]);
    let isol = self::command(root, "", script);
    command.arg(isol.get_program()).args(isol.get_args());
    command
}

#[test]
fn what_lies_on_top_of_the_host_s_root_is_detached_with_it() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    for before in ["", "mount -t tmpfs x /; mount -t tmpfs y /;"] {
        let mut program =
            Started::new(&mut among_other_mounts(&root, before, "echo ready; read x"));
        assert_eq!(program.line(), "ready");
        until("there are the init and the program", || children(program.pid()).len() == 2);
        for pid in children(program.pid()) {
            // The init's root is the lowest one: it is shown all that there is.
            let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).expect("it runs");
            assert!(mounts.lines().count() <= 8, "{mounts}");
        }
        program.end();
    }
}

#[test]
fn in_a_chroot_what_is_around_it_would_stay() {
    if !must_have_namespaces() {
        return;
    }
    let (root, around) = (TestRoot::new(), TestRoot::new());
    let mount = format!("mount --rbind / {0}/etc; set -- chroot {0}/etc \"$@\";", around.text());
    run(&mut among_other_mounts(&root, &mount, "true")).refused(
        125,
        &[
            "mounts: not in force",
            "mounts of the host's are still above the root",
            "help: isol's own root",
        ],
    );
}

#[test]
fn signals_stops_and_continuations_reach_the_program() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    let script = "trap 'echo USR1' USR1; trap 'echo TERM; exit 5' TERM; echo ready; while :; do sleep 1 & wait; done";
    let mut program = Started::new(&mut command(&root, "", script));
    assert_eq!(program.line(), "ready");
    program.signal(Signal::SIGUSR1);
    assert_eq!(program.line(), "USR1");
    program.signal(Signal::SIGTSTP);
    until("isol has stopped", || state(program.pid()) == Some('T'));
    program.signal(Signal::SIGCONT);
    until("isol goes on", || state(program.pid()) == Some('S'));
    program.signal(Signal::SIGTERM);
    assert_eq!(program.line(), "TERM");
    assert_eq!(program.end(), (Some(5), None));
}

#[test]
fn a_thousand_orphans_are_waited_for_and_end_with_the_program() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    let marker = format!("6666{}", std::process::id());
    let script = format!(
        "i=0; while [ $i -lt 1000 ]; do (sleep 0 & sleep {marker} &) ; i=$((i+1)); done; \
         grep -l 'State:.Z' /proc/[0-9]*/status | wc -l; echo done"
    );
    let out = inside(&root, "", &script);
    let lines: Vec<_> = out.out.lines().collect();
    assert_eq!(lines.last(), Some(&"done"), "{out:#?}");
    let zombies: u32 = lines[0].parse().expect("a number");
    assert!(zombies < 100, "the init leaves {zombies} of 1000 unwaited for");
    assert_eq!(running_with(&marker), Vec::<i32>::new());
}

#[test]
fn a_fork_bomb_goes_off_inside() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    let marker = format!("5555{}", std::process::id());
    let script = format!(": {marker}; f() {{ f | f & }}; f; sleep 2; exit 0");
    let _ = inside(&root, "--limit nproc=60 --timeout 3", &script);
    assert_eq!(running_with(&marker), Vec::<i32>::new());
}

fn host_s_mounts() -> String {
    fs::read_to_string("/proc/self/mounts").expect("there is a /proc")
}

#[test]
fn whatever_kills_isol_ends_all_that_it_has_started() {
    if !must_have_namespaces() {
        return;
    }
    let marker = format!("4444{}", std::process::id());
    let before = host_s_mounts();
    for round in 0..40_u64 {
        let script = format!("sleep {marker} & setsid sleep {marker} & sleep {marker}");
        let mut child = isol_with(["run", "--backend", "namespaces", "--network", "none", "--"])
            .args([BUSYBOX, "sh", "-c", &script])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("isol can be started");
        std::thread::sleep(Duration::from_micros(round * 1_500));
        child.kill().expect("it is there");
        child.wait().expect("it is a child");
    }
    // Nobody has run since: it is the kernel that ends them.
    until("nothing of the killed ones runs", || running_with(&marker).is_empty());
    run(&mut isol_with(["run", "--", BUSYBOX, "true"])).succeeded();
    let mine = |mounts: &str| mounts.lines().filter(|l| l.contains("isol")).count();
    assert_eq!(mine(&host_s_mounts()), mine(&before));
}

#[test]
fn an_init_that_is_killed_takes_everything_with_it() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    let mut program = Started::new(&mut command(&root, "", "echo ready; exec sleep 600"));
    assert_eq!(program.line(), "ready");
    until("there are the init and the program", || children(program.pid()).len() == 2);
    let all = children(program.pid());
    let is_init = |pid: &&nix::unistd::Pid| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "isol-init\n")
    };
    let init = all.iter().find(is_init).expect("an init");
    nix::sys::signal::kill(*init, Signal::SIGKILL).expect("it is there");
    assert_eq!(program.end(), (Some(137), None));
}

#[test]
fn a_hundred_at_once_do_not_see_each_other_and_leave_nothing() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    let before = host_s_mounts();
    let marker = format!("3333{}", std::process::id());
    let script = format!(": {marker}; echo $(echo /proc/[0-9]*) $(id -u); read line; exit 9");
    let mut all: Vec<_> =
        (0..100).map(|_| Started::new(&mut command(&root, "", &script))).collect();
    let said: BTreeSet<String> = all.iter_mut().map(Started::line).collect();
    assert_eq!(said.len(), 100, "each one has a uid of its own");
    assert!(said.iter().all(|line| line.starts_with("/proc/2 ")), "{said:?}");
    // The init and the program of each. Who made them has ended, and isol waits for that beside the program.
    let of = |one: &Started| {
        until("there are the init and the program", || children(one.pid()).len() == 2);
        children(one.pid())
    };
    let inside: Vec<_> = all.iter().flat_map(of).collect();
    assert_eq!(inside.len(), 200);
    for mut one in all {
        assert_eq!(one.end(), (Some(9), None));
    }
    let left: Vec<_> = inside.into_iter().filter(|&pid| state(pid).is_some()).collect();
    assert_eq!((left, running_with(&marker)), (Vec::new(), Vec::new()));
    let mine = |mounts: &str| mounts.lines().filter(|l| l.contains("isol")).count();
    assert_eq!(mine(&host_s_mounts()), mine(&before));
}

#[test]
fn what_is_mounted_is_what_was_asked_for() {
    if !must_have_namespaces() {
        return;
    }
    let (root, data) = (TestRoot::new(), tempfile::tempdir().expect("a directory"));
    fs::write(data.path().join("file"), "text").expect("it can be written");
    fs::set_permissions(data.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777))
        .expect("it is ours");
    for dir in ["data", "cache"] {
        fs::create_dir(root.join(dir)).expect("it is new");
    }
    let source = data.path().display();
    let options = format!("--bind {source}:/data:ro --tmpfs /cache:1M --read-only");
    let script = "cat /data/file; touch /data/x; touch /x; touch /cache/x && echo cached; \
                  dd if=/dev/zero of=/cache/big bs=1k count=2048 2>/dev/null || echo full";
    let out = inside(&root, &options, script);
    assert_eq!(out.out, "textcached\nfull\n", "{out:#?}");
    assert_eq!(out.err.matches("Read-only file system").count(), 2, "{out:#?}");
    let writable = inside(&root, &format!("--bind {source}:/data"), "echo more > /data/more");
    assert_eq!(writable.status, Some(0), "{writable:#?}");
    assert_eq!(fs::read_to_string(data.path().join("more")).expect("it is there"), "more\n");
}

#[test]
fn mounts_that_lead_elsewhere_are_refused() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    symlink("/etc", root.join("link")).expect("it is new");
    symlink("../../../etc", root.join("up")).expect("it is new");
    for target in ["/link", "/up", "/link/ssl"] {
        inside(&root, &format!("--bind /usr:{target}"), "true")
            .refused(125, &["mount-sources: nothing can be mounted on", "is a symbolic link"]);
    }
    let missing = inside(&root, "--tmpfs /none", "true");
    missing.refused(125, &["nothing can be mounted on /none", "help: mkdir -p "]);
    let kinds = inside(&root, "--bind /etc/passwd:/etc", "true");
    kinds.refused(125, &["one of both is a directory"]);
    inside(&root, "--bind /nowhere:/etc", "true").refused(125, &["can't take /nowhere for --bind"]);
}

#[test]
fn what_other_backends_can_t_do_is_refused() {
    let plan = |options: &str| {
        let mut command = isol();
        command.arg("plan").args(options.split_whitespace()).args(["--", "/bin/true"]);
        run(&mut command)
    };
    for options in ["--bind /a", "--tmpfs /a", "--read-only"] {
        let chroot = plan(&format!("--backend chroot --root /srv/x --user 80 {options}"));
        chroot.refused(125, &["chroot(2) mounts nothing", "help: "]);
    }
    let here = isol::backend_by_name("namespaces").is_some_and(|b| b.available().is_ok());
    if unless((!here || !nix::unistd::geteuid().is_root()).then_some("it takes root")) {
        for (options, why) in [
            ("--network 192.0.2.7", "a network namespace has interfaces of its own"),
            ("--name web", "namespaces have no names"),
            ("--jail-param allow.mlock", "it is a jail's"),
        ] {
            let refused = plan(&format!("--backend namespaces --root /srv/x --user 80 {options}"));
            refused.refused(125, &[why, "help: "]);
        }
    }
}

#[test]
fn uid_0_has_no_powers_unless_they_are_allowed() {
    if !must_have_namespaces() {
        return;
    }
    let tried = "for try in 'chown 5 /tmp/x' 'chroot / true' 'mknod /tmp/null c 1 3' 'mount -t tmpfs a /tmp' 'hostname a'
        do $try 2>/tmp/said && echo $try; done; true";
    for (allowed, done) in
        [("root-user", ""), ("root-user,superuser", "chown 5 /tmp/x\nchroot / true\n")]
    {
        let mut command = isol_with(["run", "--user", "0", "--allow", allowed, "--", BUSYBOX]);
        let script = format!("touch /tmp/x; {tried}");
        let said = run(command.args(["sh", "-c", &script]));
        assert_eq!(said.succeeded(), done, "{allowed}: {said:#?}");
    }
    let mut alone = isol_with(["run", "--allow", "superuser", "--", BUSYBOX, "true"]);
    run(&mut alone).refused(125, &["help: --allow root-user,superuser"]);
}

/// Somebody listens and is connected to on 127.0.0.1: by busybox, whose `nc` is in no hurry to be there.
/// Whoever waits for nothing gives up some day. The listener has no end of input: it would pass that on, and who speaks
/// would leave at that.
const OVER_THE_LOOPBACK: &str = "mkfifo /tmp/held
    timeout 60 nc -l -p 4000 <>/tmp/held >/tmp/heard & for try in `seq 100`; do
    echo hello | nc -w 5 127.0.0.1 4000 2>/dev/null && break; sleep 0.2; done; wait; cat /tmp/heard";

#[test]
fn a_network_of_its_own_has_a_loopback_that_is_up() {
    if !must_have_namespaces() {
        return;
    }
    let words = ["--network", "none", "--", BUSYBOX, "sh", "-c", OVER_THE_LOOPBACK];
    let by_root = run(isol_with(["run"]).args(words));
    assert_eq!(by_root.succeeded(), "hello\n");
    assert_eq!(as_nobody_special(own_uid(), &words).succeeded(), "hello\n");
}

/// What is the host's is for what it is for, and nothing else.
#[test]
fn a_device_that_an_ordinary_user_has_of_the_host_s_executes_nothing() {
    if !must_have_namespaces() {
        return;
    }
    let words = ["--network", "none", "--", BUSYBOX, "grep", " /dev/null ", "/proc/self/mountinfo"];
    let said = as_nobody_special(own_uid(), &words).succeeded().to_owned();
    assert!(said.contains("nosuid") && said.contains("noexec"), "{said}");
}

/// By gid 0 neither, which `hidepid=invisible` lets see everything.
#[test]
fn the_init_is_not_to_be_seen() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    let options = format!("--user {}:0 --allow root-group --network none", own_uid());
    let script = "echo /proc/[0-9]*; cat /proc/1/net/dev /proc/1/comm";
    let said = inside(&root, &options, script);
    assert_eq!((said.out.as_str(), said.status), ("/proc/2\n", Some(1)), "{said:#?}");
}

#[test]
fn what_keeps_the_loopback_down_is_said_and_nothing_runs() {
    if !must_have_namespaces() || !must_have(&["strace"]) {
        return;
    }
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "--inject=socket:error=EACCES"]);
    strace.arg(isol_path()).args(["run", "--network", "none", "--", BUSYBOX, "echo", "it runs"]);
    let said = run(&mut strace);
    assert_eq!(said.out, "");
    said.refused(125, &["namespaces: bringing the loopback up: Permission denied"]);
}

/// The command as somebody who is not root.
fn as_nobody_special(uid: u32, arguments: &[&str]) -> Run {
    let mut command = isol_with(["run"]);
    command.args(arguments).uid(uid).gid(uid).env_remove("XDG_RUNTIME_DIR").current_dir("/");
    run(&mut command)
}

#[test]
fn an_ordinary_user_needs_nothing_but_the_command() {
    if !must_have_namespaces() {
        return;
    }
    let uid = own_uid();
    let said = as_nobody_special(uid, &["--", BUSYBOX, "sh", "-c", "id -u; echo $$; touch /x"]);
    let ran = (Some(1), format!("{uid}\n2\n"));
    assert_eq!((said.status, said.out.clone()), ran, "{said:#?}");
    assert!(said.err.contains("Read-only file system"), "{said:#?}");
    let root =
        as_nobody_special(uid, &["--user", "0", "--allow", "root-user", "--", BUSYBOX, "id", "-u"]);
    assert_eq!(root.succeeded(), "0\n");
    let verbose = as_nobody_special(uid, &["-v", "--", BUSYBOX, "true"]);
    assert_eq!(verbose.status, Some(0), "{verbose:#?}");
    for given_up in ["groups-exact", "uid-dedicated", "root-safe"] {
        assert!(verbose.err.contains(&format!("not in force: {given_up}: ")), "{verbose:#?}");
    }
    let words = ["--backend", "namespaces", "--require", "uid-dedicated", "--", BUSYBOX, "true"];
    as_nobody_special(uid, &words).refused(125, &["namespaces can't hold uid-dedicated"]);
    for (option, value, why) in [
        ("--user", "nobody", "an ordinary user can only be himself"),
        ("--groups", "5", "can't do a choice of groups: an ordinary user can only be himself"),
    ] {
        let words = ["--backend", "namespaces", option, value, "--", BUSYBOX, "true"];
        as_nobody_special(uid, &words).refused(125, &[why]);
        // Nor is it the backend that the command advises.
        let auto = as_nobody_special(uid, &words[2..]);
        auto.refused(125, &["chroot can't be run here"]);
        assert!(!auto.err.contains("--backend namespaces works"), "{auto:#?}");
    }
    let state = format!("/tmp/isol-{uid}");
    let left: Vec<_> = fs::read_dir(&state).into_iter().flatten().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    let _ = fs::remove_dir(Path::new(&state));
}
