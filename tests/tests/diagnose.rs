//! What keeps a program from running in a root: each planted fault is named, none besides, and its command mends it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use isol_tests::{BUSYBOX, Run, TestRoot, isol_path, isol_with, must_be_root, run};

/// What `isol root diagnose` finds: the kind, the reason and the command of each.
fn findings(root: &TestRoot, program: &str) -> Vec<(String, String, Option<String>)> {
    let out = run(&mut isol_with([
        "root",
        "diagnose",
        root.text(),
        program,
        "--user",
        "65534:65534",
        "--json",
    ]));
    let told: serde_json::Value = serde_json::from_str(&out.out).expect(&out.err);
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let found: Vec<_> = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (text(&f["what"]).unwrap(), text(&f["why"]).unwrap(), text(&f["mend"])))
        .collect();
    assert_eq!(out.status, Some(i32::from(!found.is_empty())), "{out:?}");
    found
}

/// A root with a program of Debian's, all that it loads, and a null device: nothing is wrong with it.
fn root() -> TestRoot {
    let root = TestRoot::new();
    shell(
        &root,
        &format!("isol root add {0} /usr/bin/id && mknod -m 666 {0}/dev/null c 1 3", root.text()),
    );
    // Its own applet would be in the way.
    assert_eq!(findings(&root, "/usr/bin/id"), []);
    root
}

/// A command as it is suggested; `isol` is the one under test.
fn shell(root: &TestRoot, command: &str) {
    let dir = isol_path().parent().unwrap().to_str().unwrap().to_owned();
    let path = format!("{dir}:{}", std::env::var("PATH").unwrap());
    let out = Command::new("bash").args(["-c", command]).env("PATH", path).output().unwrap();
    assert!(out.status.success(), "{}: {command}: {out:?}", root.text());
}

fn run_in(root: &TestRoot, program: &str) -> Run {
    run(&mut isol_with([
        "run",
        "--root",
        root.text(),
        "--user",
        "65534:65534",
        "--allow",
        "shared-uid",
        "--",
        program,
    ]))
}

fn id(root: &TestRoot) -> Option<i32> {
    run_in(root, "/usr/bin/id").status
}

/// Plants a fault, and has its command mend it. `status` is what a run says of it.
fn mended(what: &str, says: &str, status: i32, plant: impl Fn(&TestRoot)) {
    let root = root();
    plant(&root);
    let found = findings(&root, "/usr/bin/id");
    let [(kind, why, mend)] = &found[..] else { panic!("{what}: {found:?}") };
    assert!(kind == what && why.contains(says), "{what}: {found:?}");
    let ended = run_in(&root, "/usr/bin/id");
    assert_eq!(ended.status, Some(status), "{what}");
    // A run that can't start knows the same.
    let help = mend.as_ref().map(|mend| format!("help: {mend}\n")).unwrap_or_default();
    assert!(status == 0 || ended.err.ends_with(&help), "{what}: {ended:?}");
    shell(&root, mend.as_ref().unwrap_or_else(|| panic!("{what}: {found:?}")));
    assert_eq!(findings(&root, "/usr/bin/id"), [], "{what}");
    assert_eq!(id(&root), Some(0), "{what}");
}

const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

#[test]
fn what_is_missing_unreadable_or_unsafe_is_mended_by_its_command() {
    if !must_be_root() || !cfg_is_x86_64() {
        return;
    }
    let chmod =
        |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    mended("program", "is not in the root", 127, |root| {
        fs::remove_file(root.join("usr/bin/id")).unwrap();
    });
    mended("library", "libselinux.so.1, needed by /usr/bin/id", 127, |root| {
        fs::remove_file(root.join(LIBRARIES).join("libselinux.so.1")).unwrap();
    });
    mended("interpreter", "the loader of /usr/bin/id", 127, |root| {
        fs::remove_file(root.join("lib64/ld-linux-x86-64.so.2")).unwrap();
    });
    mended("unreadable", "can't be read by uid 65534", 126, |root| {
        chmod(&root.join(LIBRARIES).join("libselinux.so.1"), 0o700);
    });
    mended("unreadable", "can't be searched by uid 65534", 126, |root| {
        chmod(&root.join(LIBRARIES), 0o700);
    });
    mended("unreadable", "can't be executed by uid 65534", 126, |root| {
        chmod(&root.join("usr/bin/id"), 0o744);
    });
    mended("format", "is not executable", 126, |root| chmod(&root.join("usr/bin/id"), 0o444));
    mended("unsafe", "is owned by somebody else", 125, |root| {
        chown(root.join("usr/bin/id"), Some(33), None).unwrap();
    });
    mended("unsafe", "written to by its group", 125, |root| chmod(&root.join("usr/bin"), 0o775));
    // id has no need of it, others have.
    mended("null-device", "does not exist", 0, |root| {
        fs::remove_file(root.join("dev/null")).unwrap()
    });
    mended("null-device", "does not exist", 0, |root| {
        fs::remove_dir_all(root.join("dev")).unwrap()
    });
    mended("null-device", "is not the null device", 0, |root| {
        fs::remove_file(root.join("dev/null")).unwrap();
        fs::write(root.join("dev/null"), "").unwrap();
    });
    mended("null-device", "is not for everybody", 0, |root| chmod(&root.join("dev/null"), 0o600));
    if Path::new("/").join(LIBRARIES).join("libnss_compat.so.2").exists() {
        mended("nss-module", "looked up with `compat`", 0, |root| {
            root.put("etc/nsswitch.conf", "passwd: compat\nhosts: files dns\n", 0o644);
        });
    }
}

fn cfg_is_x86_64() -> bool {
    std::env::consts::ARCH == "x86_64"
}

/// What no command mends is named all the same.
#[test]
fn what_can_not_be_mended_is_named() {
    if !must_be_root() || !cfg_is_x86_64() {
        return;
    }
    let root = root();
    let named = |program: &str, what: &str, says: &str, status: i32| {
        let found = findings(&root, program);
        let [(kind, why, _)] = &found[..] else { panic!("{program}: {found:?}") };
        assert!(kind == what && why.contains(says), "{program}: {found:?}");
        let out = run_in(&root, program);
        assert_eq!(out.status, Some(status), "{program}: {out:?}");
        assert!(out.err.contains(says), "{program}: {out:?}");
    };
    root.put("bin/text", "hello", 0o755);
    named("/bin/text", "format", "neither an ELF program nor a script", 126);
    root.put("bin/crlf", "#!/bin/sh\r\necho\r\n", 0o755);
    named("/bin/crlf", "interpreter", r"/bin/sh\015, the interpreter of the script", 127);
    named("/bin", "format", "is a directory", 126);
    std::os::unix::fs::symlink("loop", root.join("bin/loop")).unwrap();
    named("/bin/loop", "unchecked", "has too many symbolic links", 126);
    // e_machine: AArch64.
    let mut busybox = fs::read(BUSYBOX).unwrap();
    busybox[18] = 183;
    root.put("bin/foreign", &busybox, 0o755);
    named("/bin/foreign", "architecture", "is for aarch64, and this host is x86_64", 126);
    // EI_OSABI: FreeBSD.
    let mut busybox = fs::read(BUSYBOX).unwrap();
    busybox[7] = 9;
    root.put("bin/freebsd", &busybox, 0o755);
    named("/bin/freebsd", "architecture", "is for FreeBSD", 126);
    // .note.ABI-tag: Linux 99.0.0.
    for file in ["/usr/bin/id", "/usr/lib/x86_64-linux-gnu/libc.so.6"] {
        let old = fs::read(file).unwrap();
        let note = b"\x04\0\0\0\x10\0\0\0\x01\0\0\0GNU\0\0\0\0\0";
        let at =
            old.windows(note.len()).position(|part| part == note).expect("a note") + note.len();
        let mut new = old.clone();
        new[at..at + 4].copy_from_slice(&99_u32.to_le_bytes());
        root.put(&file[1..], &new, 0o755);
        named("/usr/bin/id", "kernel", "needs Linux 99.", 126);
        root.put(&file[1..], &old, 0o755);
    }
    root.put(
        "etc/nsswitch.conf",
        "passwd: files nobody_has_it [ NOTFOUND=return ] dns # nobody_has_it, too\n",
        0o644,
    );
    let found = findings(&root, "/usr/bin/id");
    let [(what, why, Some(mend))] = &found[..] else { panic!("{found:?}") };
    assert!(what == "nss-module" && why.contains("libnss_nobody_has_it"), "{found:?}");
    shell(&root, mend);
    assert_eq!(findings(&root, "/usr/bin/id"), []);
    let left = fs::read_to_string(root.join("etc/nsswitch.conf")).unwrap();
    assert_eq!(left, "passwd: files dns # nobody_has_it, too\n");
}

/// File systems that are mounted so that something does not work.
#[test]
fn mounts_that_forbid_something_are_named() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    fs::create_dir(root.join("m")).unwrap();
    let with = |options: &str, program: &str, mode: &str, mount: &str| {
        let text = format!(
            "mount -t tmpfs -o mode=755,{options} none {0}/{mount} && mkdir -p {0}/m {0}/dev && \
             cp /bin/busybox {0}/m/x && chmod {mode} {0}/m/x && \
             {{ [ -e {0}/dev/null ] || mknod -m 666 {0}/dev/null c 1 3; }} && exec {1} root diagnose {0} {program}",
            root.text(),
            isol_path().display()
        );
        run(Command::new("unshare").args(["-m", "sh", "-c", &text])).out
    };
    let noexec = with("noexec", "/m/x", "755", "m");
    assert!(noexec.starts_with("noexec: ") && noexec.contains("remount,exec"), "{noexec}");
    assert_eq!(noexec.lines().count(), 1, "{noexec}");
    let nosuid = with("nosuid", "/m/x", "4755", "m");
    assert!(nosuid.starts_with("nosuid: ") && nosuid.contains("remount,suid"), "{nosuid}");
    let nodev = with("nodev", "/m/x", "755", "dev");
    assert!(nodev.starts_with("null-device: ") && nodev.contains("remount,dev"), "{nodev}");
    assert_eq!(with("exec", "/m/x", "755", "m"), "");
}

#[test]
fn a_root_that_is_not_there_is_an_error_and_not_a_finding() {
    if !must_be_root() {
        return;
    }
    let diagnose = |dir: &str| run(&mut isol_with(["root", "diagnose", dir, "id"]));
    diagnose("/srv/no-such-root").refused(125, &["/srv/no-such-root does not exist"]);
    diagnose("/tmp").refused(125, &["/tmp can be written to"]);
    run(&mut isol_with(["root", "diagnose", "/srv", "id", "--user", "no-such-user"]))
        .refused(125, &["no-such-user"]);
}
