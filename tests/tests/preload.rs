//! The example daemon of the library: what it has brought in is there inside.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;

use isol::{Isolation, Mode, Policy, Preload, User};
use isol_tests::{Started, TestRoot, built, must_be_root, must_have, run, until};

/// The host, in a mount namespace of its own: a `/dev` with a busybox syslogd that can be started again, and a user.
const HOST: &str = r#"
set -e
mount -t tmpfs tmpfs "$1/dev"
for name in null zero full random urandom; do : >"$1/dev/$name"; mount --bind "/dev/$name" "$1/dev/$name"; done
mount --move "$1/dev" /dev
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/hosts" /etc/hosts
out=$1
trap 'kill $daemon $syslogd 2>/dev/null || :' EXIT
trap 'exit 1' TERM
syslogd() { busybox syslogd -n -O "$out/messages" & syslogd=$!; while ! [ -S /dev/log ]; do sleep 0.01; done; }
syslogd
"$2" "$3" isol-test-daemon files.example:53 & daemon=$!
while read -r word; do
    kill $syslogd; wait $syslogd || :
    rm -f /dev/log
    syslogd
    echo restarted
done
"#;

fn daemon() -> PathBuf {
    let path = built("examples/daemon");
    assert!(path.is_file(), "{} is missing: cargo build -p isol --examples first", path.display());
    path
}

fn ask(address: &str) -> String {
    let mut text = String::new();
    let mut to = TcpStream::connect(address).expect("it listens");
    to.read_to_string(&mut text).expect("it answers");
    text
}

#[test]
fn a_daemon_has_what_it_brought_in() {
    if !must_be_root() || !must_have(&["busybox", "unshare", "mount"]) {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("dev")).expect("a directory");
    let uid = isol_tests::own_uid();
    let passwd = format!("root:x:0:0::/:/bin/sh\nisol-test-daemon:x:{uid}:{uid}::/:/bin/false\n");
    fs::write(at("passwd"), passwd).expect("a file");
    fs::write(at("hosts"), "127.0.0.1 localhost\n192.0.2.53 files.example\n").expect("a file");
    fs::write(at("bundle"), "-----BEGIN CERTIFICATE-----\n").expect("a file");
    let root = TestRoot::new();
    let mut host = Started::new(
        Command::new("unshare")
            .args(["--mount", "sh", "-c", HOST, "sh"])
            .arg(dir.path())
            .arg(daemon())
            .arg(root.path())
            .env("TZ", "Asia/Kolkata")
            .env("SSL_CERT_FILE", at("bundle")),
    );
    let line = host.line();
    let address = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();

    let answer = ask(&address);
    for line in [
        "addresses [192.0.2.53:53]",
        "time zone IST-5:30",
        "certificates 28",
        "null true",
        "holds true",
    ] {
        assert!(answer.lines().any(|l| l == line), "no `{line}` in {answer}");
    }
    assert!(answer.contains("\"bin\"") && !answer.contains("\"usr\""), "{answer}");

    // Its messages arrive, and their time is the zone's: neither is to be had from inside.
    let messages = || fs::read_to_string(at("messages")).unwrap_or_default();
    until("it has logged", || messages().contains("daemon.info isol-daemon"));
    let text = messages();
    let logged = text.lines().find(|line| line.ends_with(": served")).expect("it has");
    // With seconds between two looks at the clock: one of both is its minute.
    let date = |zone: &str| {
        let now = run(Command::new("date").arg("+%b %e %H:").env("TZ", zone));
        now.succeeded().trim_end().to_owned()
    };
    let (there, here) = (date("Asia/Kolkata"), date("UTC"));
    assert!(
        logged.starts_with(&there) || logged.starts_with(&date("Asia/Kolkata")),
        "{there}: {text}"
    );
    assert_ne!(there, here);

    // A syslogd that is started again has a new socket, which can't be found inside: no message arrives, and
    // nobody waits.
    let served = |text: &str| text.matches(": served").count();
    writeln!(host.input(), "again").expect("it reads");
    assert_eq!(host.line(), "restarted");
    let before = served(&messages());
    for _ in 0..3 {
        ask(&address);
    }
    assert_eq!(served(&messages()), before);
    // Unless somebody takes them in the root.
    let inside = UnixDatagram::bind(root.join("dev/log")).expect("a socket");
    fs::set_permissions(root.join("dev/log"), fs::Permissions::from_mode(0o666)).expect("mine");
    inside.set_read_timeout(Some(std::time::Duration::from_secs(60))).expect("a time");
    ask(&address);
    let mut buffer = [0; 1000];
    let length = inside.recv(&mut buffer).expect("a message");
    let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
    assert!(text.contains("isol-daemon") && text.ends_with(": served"), "{text}");
    host.close_input();
    assert_eq!(host.end().0, Some(0));
}

#[test]
fn what_is_brought_in_is_in_the_plan_of_enter_alone() {
    let preloaded = Preload::new().null().time_zone().user("root").load().expect("it is there");
    assert_eq!(preloaded.user("root").map(|account| account.uid), Some(isol::Uid::ROOT));
    assert!(preloaded.user("nobody").is_none(), "it was not asked for");
    let uid = isol::Uid::new(70_000).expect("a uid");
    let policy = Policy::confine("/srv/x").user(User::Id(uid)).build().expect("a policy");
    let isolation = Isolation::new(policy).preloaded(&preloaded);
    let plan = isolation.plan(Mode::Enter, None).expect("a plan");
    let explains = |name| plan.steps().find(|s| s.name() == name).expect("it is there").explains();
    let null = preloaded.null().expect("it was asked for").as_raw_fd();
    assert_eq!(explains("descriptors"), format!("close every descriptor but 0, 1, 2, {null}"));
    assert!(explains("environment").contains("TZ"));
    for mode in [Mode::Exec, Mode::Spawn] {
        let problem =
            isolation.plan(mode, None).expect_err("nothing of it would be left").problem();
        assert!(problem.why.contains("execve(2) leaves nothing"), "{problem}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let said =
        |preload: Preload| preload.load().expect_err("it is not there").problem().to_string();
    assert_eq!(
        said(Preload::new().user("no-such-user")),
        "preload: no user is called `no-such-user`"
    );
    assert_eq!(
        said(Preload::new().group("no-such-one")),
        "preload: no group is called `no-such-one`"
    );
    assert!(said(Preload::new().host("no-port")).starts_with("preload: can't look no-port up"));
}
