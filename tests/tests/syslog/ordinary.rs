//! Messages of an ordinary user's programs: they come from him, and from isol's pid.

use std::fs::{self, Permissions};
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use isol_sys::syslog::{Place, Sender, receive};
use isol_tests::{BUSYBOX, OrdinaryUser, copy_program, run, until};

/// A socket of somebody's outside who is told whom a message comes from.
struct Listener {
    dir: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Listener {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let opened = fs::File::open(dir.path()).expect("it is there");
        let place = Place::open(opened.as_fd(), dir.path(), "log", false, None);
        let socket = place.and_then(|place| place.bind()).expect("a socket");
        Self { dir, socket }
    }

    fn option(&self) -> String {
        format!("--syslog={}", self.dir.path().join("log").display())
    }

    /// The next message, and who has sent it.
    fn next(&self) -> (String, Sender) {
        let (mut buffer, mut got) = ([0; 1000], None);
        until("a message has arrived", || {
            got = receive(&self.socket, &mut buffer).ok();
            got.is_some()
        });
        let (length, sender) = got.expect("it has arrived");
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        (text, sender.expect("the kernel tells"))
    }
}

fn logger(message: &str) -> [&str; 5] {
    [BUSYBOX, "logger", "-t", "box", message]
}

#[test]
fn an_ordinary_user_s_messages_arrive_as_his() {
    if !OrdinaryUser::can_be() {
        return;
    }
    let (user, listener) = (OrdinaryUser::new(), Listener::new());
    for (who, message) in [("", "of himself"), ("--user 33", "of one whom he has been given")] {
        let options = format!("run {who} {} --require syslog-works", listener.option());
        run(&mut user.isol(&options, &logger(message))).succeeded();
        let (text, sender) = listener.next();
        assert!(text.starts_with("<13>") && text.ends_with(message), "{text}");
        assert_eq!((sender.uid, sender.gid), (user.uid(), user.uid()));
    }
}

#[test]
fn from_a_root_of_his_own_they_come_too_and_nothing_stays_in_it() {
    if !OrdinaryUser::can_be() {
        return;
    }
    let (user, listener) = (OrdinaryUser::new(), Listener::new());
    let outside = tempfile::tempdir().expect("a directory");
    fs::set_permissions(outside.path(), Permissions::from_mode(0o755)).expect("it is ours");
    let root = outside.path().join("root");
    let his = |path: &Path| chown(path, Some(user.uid()), Some(user.uid())).expect("root may");
    for dir in ["", "bin", "dev"] {
        fs::create_dir(root.join(dir)).expect("it is new");
        his(&root.join(dir));
    }
    copy_program(BUSYBOX, root.join("bin/busybox"));
    his(&root.join("bin/busybox"));
    let options = format!("run --root {} {}", root.display(), listener.option());
    run(&mut user.isol(&options, &logger("of his root"))).succeeded();
    assert!(listener.next().0.ends_with("of his root"));
    assert!(!root.join("dev/log").exists(), "the socket is taken back");
    // Somebody else could put another socket there.
    chown(root.join("dev"), Some(user.uid() + 1), None).expect("root may");
    run(&mut user.isol(&options, &logger("x"))).refused(125, &["syslog: can't take messages"]);
    fs::remove_dir(root.join("dev")).expect("it is empty");
    run(&mut user.isol(&options, &logger("x"))).refused(125, &["help: mkdir -m 755"]);
}
