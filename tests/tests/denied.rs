//! User namespaces that are denied: an ordinary user is told by what.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use isol_tests::{
    BUSYBOX, Run, TestRoot, isol_path, must_have, must_have_namespaces, own_uid, run, unless,
};

fn can_run() -> bool {
    must_have_namespaces()
        && must_have(&["unshare", "setpriv", "mount"])
        && unless(
            (!Path::new("/usr/bin/python3").is_file()).then_some("there is no /usr/bin/python3"),
        )
}

/// The words that run a program as an ordinary user.
fn as_user() -> Vec<String> {
    let id = own_uid().to_string();
    let words = ["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups", "--inh-caps=-all"];
    words.map(str::to_owned).to_vec()
}

fn isol_words(backend: &str) -> Vec<String> {
    let isol = isol_path().display().to_string();
    let words = [&isol, "run", "--backend", backend, "--", BUSYBOX, "true"];
    words.map(str::to_owned).to_vec()
}

/// In a mount namespace of its own, what `script` does; then the words.
fn after(script: &str, words: &[Vec<String>]) -> Run {
    let script = format!("set -e\n{script}\nexec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script, "sh"]).args(words.concat());
    command.env_remove("XDG_RUNTIME_DIR").current_dir("/");
    run(&mut command)
}

/// The words that execute a program under a filter of system calls that answers an errno to unshare(2), as container
/// runtimes do, or to mount(2).
fn filtered(call: &str, errno: &str) -> Vec<String> {
    const FILTER: &str = "
import ctypes, errno, os, platform, struct, sys
numbers = {'x86_64': {'unshare': 272, 'mount': 165}, 'aarch64': {'unshare': 97, 'mount': 40}}
number = numbers[platform.machine()][sys.argv[1]]
answer = 0x00050000 | getattr(errno, sys.argv[2])
code = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, answer), (0x06, 0, 0, 0x7fff0000)]
program = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *one) for one in code))
class Filter(ctypes.Structure):
    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
filter = Filter(len(code), ctypes.addressof(program))
assert libc.prctl(22, 2, ctypes.byref(filter), 0, 0) == 0, os.strerror(ctypes.get_errno())
os.execvp(sys.argv[3], sys.argv[3:])
";
    ["/usr/bin/python3", "-c", FILTER, call, errno].map(str::to_owned).to_vec()
}

/// A switch that this kernel may not have, where the kernel would show it: what is read is the test's, not the
/// kernel's, and something else has to do the denying.
fn switch(name: &str, value: &str) -> String {
    format!("mount -t tmpfs none /proc/sys/kernel\necho {value} >/proc/sys/kernel/{name}")
}

#[test]
fn the_number_of_user_namespaces_that_is_0() {
    if !can_run() {
        return;
    }
    // In a user namespace, where the number is its own: the host's stays what it is.
    let limit = "echo 0 >/proc/sys/user/max_user_namespaces; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--user", "sh", "-c", "read go; exec sh -c \"$0\" sh \"$@\"", limit]);
    command.args([as_user(), isol_words("namespaces")].concat());
    command.env_remove("XDG_RUNTIME_DIR").current_dir("/");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("unshare can be started");
    let mut input = child.stdin.take().expect("it is a pipe");
    isol_tests::until("it is in its user namespace", || {
        let of = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/user")).ok();
        of(&child.id().to_string()).is_some_and(|there| Some(there) != of("self"))
    });
    for map in ["uid_map", "gid_map"] {
        let path = format!("/proc/{}/{map}", child.id());
        fs::write(path, "0 0 4000000000\n").expect("root may map all ids");
    }
    input.write_all(b"\n").expect("it reads");
    drop(input);
    let out = child.wait_with_output().expect("it is a child");
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(125), "{said}");
    assert!(said.contains("user.max_user_namespaces is 0"), "{said}");
    assert!(said.contains("help: sysctl user.max_user_namespaces="), "{said}");
}

#[test]
fn a_filter_of_system_calls() {
    if !can_run() {
        return;
    }
    for (call, errno) in
        [("unshare", "EPERM"), ("unshare", "ENOSYS"), ("unshare", "EACCES"), ("mount", "EPERM")]
    {
        let out = after("", &[as_user(), filtered(call, errno), isol_words("namespaces")]);
        let texts = [
            &format!("a seccomp filter, which this process is under, denies {call}(2)")[..],
            "help: run it outside of that filter",
        ];
        out.refused(125, &texts);
    }
    // Nothing is wrong with the filter itself.
    let out =
        after("", &[as_user(), filtered("mount", "EPERM"), vec![BUSYBOX.into(), "true".into()]]);
    out.succeeded();
}

#[test]
fn a_switch_of_debian_s_or_ubuntu_s() {
    if !can_run() {
        return;
    }
    let debian = switch("unprivileged_userns_clone", "0");
    let ubuntu = switch("apparmor_restrict_unprivileged_userns", "1");
    // What each of them does is done by a filter: Debian's has unshare(2) fail, AppArmor that, or what takes privilege.
    for (script, call, errno, why) in [
        (&debian, "unshare", "EPERM", "kernel.unprivileged_userns_clone is 0"),
        (&ubuntu, "unshare", "EACCES", "kernel.apparmor_restrict_unprivileged_userns is 1"),
        (&ubuntu, "mount", "EPERM", "kernel.apparmor_restrict_unprivileged_userns is 1"),
        // A container's filter on such a host.
        (&ubuntu, "unshare", "EPERM", "a seccomp filter, which this process is under"),
    ] {
        let out = after(script, &[as_user(), filtered(call, errno), isol_words("namespaces")]);
        out.refused(125, &[why, "help: "]);
    }
    // A switch denies nothing by being there. What is mounted over a part of /proc does, as in a container.
    for script in [&debian, &ubuntu] {
        let user = as_user();
        let out = after(script, &[user.clone(), isol_words("namespaces")]);
        out.refused(125, &["mounts: mounting a /proc", "help: something is mounted over"]);
        // Where it is kept that he runs nothing now.
        fs::remove_dir(format!("/tmp/isol-{}", user[2])).expect("it is empty");
    }
}

#[test]
fn a_chroot() {
    if !can_run() {
        return;
    }
    // The host's own directories, below one that is no mount point.
    let dir = tempfile::tempdir().expect("a directory");
    let at = dir.path().join("root");
    let (at, made) = (at.display(), at.clone());
    fs::create_dir(&made).expect("it is new");
    let mut script = format!("chmod 755 {0} {at}\n", dir.path().display());
    let names = ["bin", "etc", "lib", "lib64", "usr", "proc", "dev", "tmp", "run", "var"];
    let target = isol_path();
    for name in names.into_iter().filter(|name| fs::metadata(format!("/{name}")).is_ok()) {
        script += &format!("mkdir {at}/{name}; mount --rbind /{name} {at}/{name}\n");
    }
    script += &format!("cp {} {at}/isol; chmod 755 {at}/isol; cd /\n", target.display());
    let mut words = isol_words("namespaces");
    words[0] = "/isol".into();
    let enter = vec!["chroot".to_owned(), at.to_string()];
    let out = after(&script, &[enter, as_user(), words]);
    out.refused(125, &["the kernel lets nobody in a chroot make one", "help: run it outside"]);
}

#[test]
fn root_is_told_too() {
    if !can_run() {
        return;
    }
    let (isol, root) = (isol_path().display().to_string(), TestRoot::new());
    let options = "run --backend namespaces --require root-harmless --root";
    let mut words = vec![isol];
    words.extend(options.split(' ').map(str::to_owned));
    words.extend([root.text(), "--", "/bin/true"].map(str::to_owned));
    // A limit of a namespace of its own, made by root in it.
    let script = "echo 0 >/proc/sys/user/max_user_namespaces";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    command.arg(format!("set -e; {script}; exec \"$@\"")).arg("sh").args(words);
    let out = run(&mut command);
    out.refused(
        125,
        &["can't make a user namespace: user.max_user_namespaces is 0", "help: sysctl"],
    );
}
