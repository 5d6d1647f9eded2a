//! Messages to syslog from inside: that they arrive, from whom, and what can't be had.

mod ordinary;
mod outside;

use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;

use isol::{Isolation, Mode, Policy, Syslog, Uid, User};
use isol_sys::syslog::Place;
use isol_tests::{
    Run, Started, TestRoot, children, isol_path, isol_with, must_be_root, must_have, own_uid, run,
    until,
};
use nix::sys::signal::Signal;

use outside::Outside;

fn must_run() -> bool {
    must_be_root() && must_have(&["rsyslogd", "logger", "cc", "musl-gcc"])
}

/// The program of `says.c`, static, by one C library or the other.
fn says(root: &TestRoot, compiler: &str) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/syslog/says.c");
    let compiled = run(Command::new(compiler)
        .args(["-static", "-O1", "-o"])
        .arg(root.join("bin/says"))
        .arg(source));
    assert_eq!((compiled.status, compiled.err.as_str()), (Some(0), ""), "{compiled:#?}");
}

/// `isol run --root ROOT --user UID MORE… -- PROGRAM…`
fn in_root(root: &TestRoot, more: &[&str], program: &[&str]) -> Command {
    let uid = own_uid().to_string();
    let mut command = isol_with(["run", "--root", root.text(), "--user", &uid]);
    command.args(more).arg("--").args(program);
    command
}

/// Says a line to a started `says`, and waits until it has logged it.
fn say(program: &mut Started, line: &str) {
    writeln!(program.input(), "{line}").expect("it reads");
    assert_eq!(program.line(), format!("said {line}"));
}

#[test]
fn a_message_of_each_kind_of_client_arrives() {
    if !must_run() {
        return;
    }
    let outside = Outside::new();
    let option = outside.option();
    let python = "import syslog; syslog.openlog('python', 0, syslog.LOG_MAIL); syslog.syslog(syslog.LOG_ERR, 'of python')";
    let handler = "import logging, logging.handlers as h; l = logging.getLogger(); l.addHandler(h.SysLogHandler('/dev/log')); l.warning('logger: of logging')";
    for (program, line) in [
        (
            &["logger", "-t", "util", "-p", "mail.err", "of util-linux"][..],
            "mail.err util: of util-linux",
        ),
        (&["logger", "--rfc5424=notq,notime", "-t", "rfc", "of another form"], "of another form"),
        (&["busybox", "logger", "-t", "box", "of busybox"], "user.notice box: of busybox"),
        (&["/usr/bin/python3", "-c", python], "mail.err python: of python"),
        (&["/usr/bin/python3", "-c", handler], "user.warning logger: of logging"),
    ] {
        let library = run(Command::new("/usr/bin/python3").args([
            "-c",
            "import sys; print(sys.prefix + '/lib/python%d.%d' % sys.version_info[:2])",
        ]));
        let mut command = isol_with(["run", &option]);
        if program[0] == "/usr/bin/python3" {
            command.args(["--add", library.succeeded().trim()]);
        }
        run(command.arg("--").args(program)).succeeded();
        outside.wait_for(line);
    }
    for compiler in ["cc", "musl-gcc"] {
        let root = TestRoot::new();
        says(&root, compiler);
        let mut program = Started::new(&mut in_root(&root, &[&option], &["/bin/says"]));
        say(&mut program, compiler);
        assert_eq!(program.end(), (Some(0), None));
        outside.wait_for(&format!("daemon.info says: {compiler}"));
        assert!(!root.join("dev/log").exists(), "the socket is taken back");
    }
}

#[test]
fn the_host_s_syslogd_is_stopped_and_started_again() {
    if !must_run() {
        return;
    }
    for compiler in ["cc", "musl-gcc"] {
        let mut outside = Outside::new();
        let root = TestRoot::new();
        says(&root, compiler);
        let mut program = Started::new(&mut in_root(&root, &[&outside.option()], &["/bin/says"]));
        say(&mut program, "before");
        outside.wait_for("daemon.info says: before");
        outside.stop();
        // No program is made to wait meanwhile, and nothing is lost.
        let meanwhile: Vec<_> = (0..200).map(|n| format!("meanwhile-{n}")).collect();
        meanwhile.iter().for_each(|line| say(&mut program, line));
        outside.start();
        say(&mut program, "after");
        outside.wait_for("daemon.info says: after");
        let expected =
            ["before"].into_iter().chain(meanwhile.iter().map(String::as_str)).chain(["after"]);
        let expected: Vec<_> = expected.map(|line| format!("daemon.info says: {line}")).collect();
        assert_eq!(outside.messages(), expected, "{compiler}: each one once, in their order");
        assert_eq!(program.end(), (Some(0), None));
    }
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    if !must_run() {
        return;
    }
    let mut outside = Outside::new();
    let root = TestRoot::new();
    says(&root, "cc");
    let mut program = Started::new(&mut in_root(&root, &[&outside.option()], &["/bin/says"]));
    say(&mut program, "before");
    outside.wait_for("daemon.info says: before");
    outside.stop();
    // Of a kilobyte each, of which a megabyte waits.
    say(&mut program, "3000");
    outside.start();
    let told = |line: &String| {
        let count = line.strip_prefix("syslog.warning isol[")?.split("]: ").nth(1)?;
        let count = count.split_once(" messages from ")?;
        assert!(count.1.starts_with(root.text()), "{line}");
        count.0.parse::<usize>().ok()
    };
    let mut lost = None;
    until("the loss is told", || {
        lost = outside.messages().iter().find_map(told);
        lost.is_some()
    });
    let numbers: Vec<usize> = outside
        .messages()
        .iter()
        .filter_map(|line| line.strip_prefix("daemon.info says: ")?.split_once(' ')?.0.parse().ok())
        .collect();
    // Those that came first have been kept, and what is lost is what was told.
    assert!(numbers.len() > 500, "{}", numbers.len());
    assert!(numbers.iter().copied().eq(0..numbers.len()));
    assert_eq!(numbers.len() + lost.unwrap_or(0), 3000);
    assert_eq!(program.end(), (Some(0), None));
}

/// A busybox syslogd on the host's own `/dev/log`, which is of a mount namespace of the test's own.
#[test]
fn without_a_socket_it_is_the_host_s() {
    if !must_run() || !must_have(&["unshare", "mount"]) {
        return;
    }
    let root = TestRoot::new();
    says(&root, "cc");
    let dir = tempfile::tempdir().expect("a directory");
    let script = r#"
set -e
mount -t tmpfs tmpfs "$1"
for name in null zero full random urandom; do : >"$1/$name"; mount --bind "/dev/$name" "$1/$name"; done
mount --move "$1" /dev
trap 'kill $daemon $isol 2>/dev/null || :' EXIT
trap 'exit 1' TERM
messages=$2/messages
# Without the end of the pipe that keeps the program inside alive.
syslogd() { busybox syslogd -n -O "$messages" 7>&- & daemon=$!; while ! [ -S /dev/log ]; do sleep 0.01; done; }
mkfifo "$2/fifo"
syslogd
"$3" run --root "$4" --user "$5" --syslog -- /bin/says <"$2/fifo" >"$2/said" & isol=$!
exec 7>"$2/fifo"
said() { echo "$1" >&7; while ! grep -q "said $1" "$2/said"; do sleep 0.01; done; }
said before "$2"
kill $daemon; wait $daemon || :
rm -f /dev/log
said meanwhile "$2"
syslogd
said after "$2"
while ! grep -q 'says: after' "$2/messages"; do sleep 0.01; done
exec 7>&-
wait $isol
kill $daemon
sed 's/^.* daemon/daemon/' "$2/messages" | grep says
"#;
    let mount_point = dir.path().join("dev");
    fs::create_dir(&mount_point).expect("a directory");
    let ran = run(Command::new("timeout")
        .args(["60", "unshare", "--mount", "sh", "-c", script, "sh"])
        .arg(&mount_point)
        .arg(dir.path())
        .arg(isol_path())
        .arg(root.path())
        .arg(own_uid().to_string()));
    let lines = ["before", "meanwhile", "after"].map(|line| format!("daemon.info says: {line}\n"));
    assert_eq!((ran.status, ran.out.as_str()), (Some(0), lines.concat().as_str()), "{ran:#?}");
}

#[test]
fn the_kernel_vouches_for_the_sender_outside_as_well() {
    if !must_run() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let opened = fs::File::open(dir.path()).expect("a directory");
    nix::sys::stat::fchmod(&opened, nix::sys::stat::Mode::from_bits_truncate(0o755)).expect("mine");
    let place =
        Place::open(opened.as_fd(), dir.path(), "log", false, None).expect("a directory of root's");
    let listener = place.bind().expect("a socket");
    let root = TestRoot::new();
    says(&root, "cc");
    let uid = own_uid();
    let option = format!("--syslog={}", dir.path().join("log").display());
    let user = uid.to_string();
    let mut program = Started::new(&mut isol_with([
        "run",
        "--root",
        root.text(),
        "--user",
        &user,
        &option,
        "--",
        "/bin/says",
    ]));
    say(&mut program, "here");
    let mut buffer = [0; 1000];
    let (_, sender) = {
        let mut got = None;
        until("it has arrived", || {
            got = isol_sys::syslog::receive(&listener, &mut buffer).ok();
            got.is_some()
        });
        got.expect("it has")
    };
    let inside = children(program.pid())[0];
    let sender = sender.expect("its credentials");
    assert_eq!((sender.pid, sender.uid, sender.gid), (inside.as_raw(), uid, uid));
    assert_eq!(program.end(), (Some(0), None));
}

#[test]
fn a_killed_relay_makes_nobody_wait_and_leaves_nothing() {
    if !must_run() {
        return;
    }
    let outside = Outside::new();
    let root = TestRoot::new();
    says(&root, "cc");
    // What the program has started lives on when isol is killed.
    let fifo = root.join("tmp/in");
    run(Command::new("mkfifo").args(["-m", "666"]).arg(&fifo)).succeeded();
    // A shell opens it for what is to run in the background.
    let null = root.join("dev/null");
    run(Command::new("mknod").args(["-m", "666"]).arg(null).args(["c", "1", "3"])).succeeded();
    let script = "(/bin/says </tmp/in >/tmp/out &) ; echo up; exec sleep 1000";
    let mut program =
        Started::new(&mut in_root(&root, &[&outside.option()], &["/bin/sh", "-c", script]));
    assert_eq!(program.line(), "up");
    let mut to = fs::File::options().write(true).open(&fifo).expect("a fifo");
    let said = |line: &str| {
        until(line, || fs::read_to_string(root.join("tmp/out")).unwrap_or_default().contains(line));
    };
    writeln!(to, "before").expect("it reads");
    said("said before");
    outside.wait_for("daemon.info says: before");
    program.signal(Signal::SIGKILL);
    assert_eq!(program.end(), (None, Some(9)));
    // The socket is there still, or another test's run has swept it already.
    writeln!(to, "behind it").expect("it reads");
    said("said behind it");
    drop(to);
    // The next run of all takes the socket away.
    let other = TestRoot::new();
    run(&mut in_root(&other, &[&outside.option()], &["/bin/true"])).succeeded();
    // One that sweeps at the same time may be about to.
    until("the socket is taken away", || !root.join("dev/log").exists());
    // And in the same root the next one replaces it.
    drop(UnixDatagram::bind(root.join("dev/log")).expect("a socket"));
    says(&root, "cc");
    let mut again = Started::new(&mut in_root(&root, &[&outside.option()], &["/bin/says"]));
    say(&mut again, "again");
    outside.wait_for("daemon.info says: again");
    assert_eq!(again.end(), (Some(0), None));
}

fn refused(root: &TestRoot, option: &str, texts: &[&str]) -> Run {
    let got = run(&mut in_root(root, &[option], &["/bin/true"]));
    got.refused(125, &[&["isol: syslog: "], texts].concat());
    got
}

#[test]
fn what_no_relay_can_be_made_of_is_refused() {
    if !must_run() {
        return;
    }
    let outside = Outside::new();
    let option = outside.option();
    let root = TestRoot::new();
    let (dev, log) = (root.join("dev"), root.join("dev/log"));
    let mode = |mode: &str| run(Command::new("chmod").arg(mode).arg(&dev)).succeeded().to_owned();

    mode("777");
    refused(
        &root,
        &option,
        &["/dev can be written to by its group or by others", "help: chmod go-w"],
    );
    mode("755");
    fs::write(&log, "").expect("a file");
    refused(&root, &option, &["/dev/log is no socket", "help: rm "]);
    fs::remove_file(&log).expect("a file");
    std::os::unix::fs::symlink("/tmp/log", &log).expect("a link");
    refused(&root, &option, &["/dev/log is no socket"]);
    fs::remove_file(&log).expect("a link");
    let listening = UnixDatagram::bind(&log).expect("a socket");
    refused(&root, &option, &["somebody listens on", "help: leave --syslog out"]);
    assert!(log.exists());
    drop(listening);
    fs::remove_file(&log).expect("a socket");
    let listening = UnixListener::bind(&log).expect("a socket");
    refused(&root, &option, &["somebody listens on"]);
    drop(listening);
    fs::remove_file(&log).expect("a socket");
    let host = UnixDatagram::bind(root.join("dev/host")).expect("a socket");
    let into_the_root = format!("--syslog={}", root.join("dev/host").display());
    refused(&root, &into_the_root, &["is the host's own socket"]);
    drop(host);
    fs::remove_dir_all(&dev).expect("a directory");
    refused(&root, &option, &["/dev does not exist", "help: mkdir -m 755 "]);
    std::os::unix::fs::symlink("/tmp", &dev).expect("a link");
    refused(&root, &option, &["/dev is a symbolic link"]);
    fs::remove_file(&dev).expect("a link");
    fs::create_dir(&dev).expect("a directory");

    let away = format!("--syslog={}", outside.path().join("nobody").display());
    refused(
        &root,
        &away,
        &["there is nobody to relay messages to", "No such file", "start the host's syslogd"],
    );
    let file = format!("--syslog={}", outside.path().join("conf").display());
    refused(&root, &file, &["Connection refused"]);
    let stream = outside.path().join("stream");
    let _listening = UnixListener::bind(&stream).expect("a socket");
    let stream = format!("--syslog={}", stream.display());
    refused(&root, &stream, &["wrong type", "help: name a datagram socket"]);

    says(&root, "cc");
    let mut first = Started::new(&mut in_root(&root, &[&option], &["/bin/says"]));
    say(&mut first, "first");
    refused(&root, &option, &["another run of isol does already"]);
    say(&mut first, "still");
    outside.wait_for("daemon.info says: still");
    assert_eq!(first.end(), (Some(0), None));
    assert!(!log.exists());
}

#[test]
fn what_does_not_go_together_is_refused() {
    let relative = run(&mut isol_with(["plan", "--syslog=log", "--", "/bin/true"]));
    relative.refused(125, &["isol: policy: `log` is no syslog socket"]);
    let user = ["plan", "--root", "/srv/x", "--user", "70000"];
    let unasked = run(isol_with(user).args(["--require", "syslog-works", "--", "/bin/true"]));
    unasked.refused(125, &["can't hold syslog-works", "--syslog"]);
    let asked =
        run(isol_with(user).args(["--syslog", "--require", "syslog-works", "--", "/bin/true"]));
    assert!(
        asked.succeeded().contains("mode spawn") && asked.out.contains(" syslog-works"),
        "{asked:#?}"
    );

    let policy = Policy::confine("/srv/x")
        .user(User::Id(Uid::new(70_000).expect("a uid")))
        .syslog(Syslog::Host)
        .build()
        .expect("a policy");
    for mode in [Mode::Enter, Mode::Exec] {
        let error = Isolation::new(policy.clone()).plan(mode, None).expect_err("nobody relays");
        let problem = error.problem();
        assert!(problem.why.contains("somebody has to outlive the program"), "{problem}");
    }
}

#[test]
fn a_profile_says_where_messages_go() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("profile");
    let plan = |text: &str, more: &[&str]| {
        fs::write(&file, text).expect("a file");
        let path = file.display().to_string();
        run(isol_with(["plan", "--backend", "chroot", "--profile", &path])
            .args(more)
            .args(["--", "/bin/true"]))
    };
    assert!(plan("syslog = true", &[]).succeeded().contains("relay them to /dev/log or"));
    assert!(
        plan("syslog = \"/run/log\"", &[]).succeeded().contains("relay them to /run/log until")
    );
    assert!(!plan("syslog = false", &[]).succeeded().contains("relay them"));
    assert!(
        plan("syslog = \"/run/log\"", &["--syslog=/x"]).succeeded().contains("relay them to /x")
    );
    plan("syslog = 3", &[])
        .refused(125, &["isol: profile: ", "line 1", "`true`, `false`, or the path"]);
}
