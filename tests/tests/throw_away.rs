//! Real programs of Debian's in throw-away roots.

use std::path::Path;

use isol_tests::{Trees, copy_program, isol_with, must_be_root, run, unless};

/// Whether a program of Debian's is there.
fn must_have_file(path: &str) -> bool {
    let reason = (!Path::new(path).is_file()).then(|| format!("there is no {path}"));
    unless(reason.as_deref())
}

fn number(text: &str, name: &str) -> u32 {
    let rest = text.split(name).nth(1).unwrap_or_else(|| panic!("no {name} in {text}"));
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number behind {name} in {text}"))
}

#[test]
fn id_sees_an_unused_uid_and_no_other_group() {
    if !must_be_root() {
        return;
    }
    let out = run(&mut isol_with(["run", "--", "/usr/bin/id"]));
    let text = out.succeeded();
    let (uid, gid) = (number(text, "uid="), number(text, "gid="));
    assert!((61184..=65519).contains(&uid), "{text}");
    assert_eq!(uid, gid);
    let groups = text.split("groups=").nth(1).expect("id prints groups");
    assert!(!groups.contains(','), "{text}");
    assert_eq!(number(text, "groups="), gid);
    assert!(!Path::new(&format!("/run/isol/uid-{uid}.lock")).exists());
}

/// On chroot: in an IPC namespace of its own nothing of the host's could be left.
#[test]
fn what_a_program_leaves_of_ipc_is_removed_before_its_uid_is_free_again() {
    const IPCMK: &str = "/usr/bin/ipcmk";
    if !must_be_root() || !must_have_file(IPCMK) {
        return;
    }
    let script =
        "/usr/bin/id -u && /usr/bin/ipcmk -M 8 && /usr/bin/ipcmk -Q && /usr/bin/ipcmk -S 1";
    let out = run(&mut isol_with([
        "run",
        "--backend",
        "chroot",
        "--add",
        IPCMK,
        "--add",
        "/usr/bin/id",
        "--",
        "/bin/sh",
        "-c",
        script,
    ]));
    let text = out.succeeded();
    assert_eq!(text.matches(" id: ").count(), 3, "{text}");
    let uid = text.lines().next().and_then(|line| line.parse().ok()).and_then(isol_core::Uid::new);
    let left = isol_sys::sysv::of_user(uid.expect("a uid")).expect("a list");
    assert_eq!(left, [], "{text}");
}

#[test]
fn python_loads_ssl_and_sqlite() {
    const PYTHON: &str = "/usr/bin/python3";
    if !must_be_root() || !must_have_file(PYTHON) {
        return;
    }
    let where_is = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let library = run(std::process::Command::new(PYTHON).args(["-c", where_is]));
    let script = "import ssl, sqlite3; print(sqlite3.connect(':memory:').execute('select 6*7').fetchone()[0], ssl.OPENSSL_VERSION[:7])";
    let out = run(&mut isol_with([
        "run",
        "--add",
        library.succeeded().trim(),
        "--",
        PYTHON,
        "-c",
        script,
    ]));
    assert_eq!(out.succeeded().trim(), "42 OpenSSL");
}

#[test]
fn nginx_finds_its_configuration_good() {
    const NGINX: &str = "/usr/sbin/nginx";
    if !must_be_root() || !must_have_file(NGINX) {
        return;
    }
    let dir = std::env::temp_dir().join(format!("isol-nginx-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    // Below /srv: /tmp of the new root is to stay writable.
    let place = format!("/srv/isol-nginx-{}", std::process::id());
    std::fs::create_dir_all(&place).expect("a directory");
    let temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|n| format!("{n}_temp_path /tmp/{n};"))
        .concat();
    let text = format!("pid /tmp/pid; events {{}} http {{ access_log off; {temp} }}");
    std::fs::write(format!("{place}/nginx.conf"), text).expect("a file");
    let conf = format!("{place}/nginx.conf");
    let out = run(&mut isol_with([
        "run", "--add", &place, "--", NGINX, "-t", "-e", "stderr", "-c", &conf,
    ]));
    let _ = std::fs::remove_dir_all(&dir);
    let _ = std::fs::remove_dir_all(&place);
    assert_eq!(out.status, Some(0), "{out:#?}");
    assert!(out.err.contains("test is successful"), "{out:#?}");
}

#[test]
fn a_script_brings_its_interpreter() {
    if !must_be_root() {
        return;
    }
    let path = format!("/srv/isol-script-{}", std::process::id());
    std::fs::write(
        &path,
        "#!/bin/sh\necho inside; echo no > /tmp/x && echo writable; echo no > /x\n",
    )
    .expect("a file");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("a mode");
    let out = run(&mut isol_with(["run", "--", &path]));
    let _ = std::fs::remove_file(&path);
    assert_eq!(out.out, "inside\nwritable\n");
    assert!(out.err.contains("/x"), "only /tmp is writable: {out:#?}");
}

#[test]
fn what_only_root_may_read_is_not_given_away() {
    if !must_be_root() {
        return;
    }
    let place = Trees::new("private");
    let shut = place.join("shut");
    std::fs::create_dir(&shut).unwrap();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    let (key, open, in_shut) = (place.join("key"), place.join("open"), shut.join("open"));
    for (path, bits) in [(&key, 0o600), (&open, 0o644), (&in_shut, 0o644)] {
        std::fs::write(path, "what it says\n").unwrap();
        mode(path, bits);
    }
    mode(&shut, 0o700);
    let cat = |add: &Path, path: &Path| {
        run(isol_with(["run", "-v", "--add"]).arg(add).args(["--", "/bin/cat"]).arg(path))
    };
    // Asked for by its name, it is refused; what is named is what keeps it from everybody.
    for (path, culprit) in [(&key, &key), (&in_shut, &shut)] {
        let out = cat(path, path);
        let named = format!("{} can't be", culprit.display());
        out.refused(125, &["throw-away-root", &named, "on this host", "add a copy"]);
        assert!(!out.err.contains("chmod"), "{out:?}");
        assert_eq!(out.out, "");
    }
    // In a directory that is asked for, it is there, and nobody's to read; and -v says so.
    for path in [&key, &in_shut] {
        let out = cat(place.path(), path);
        assert_eq!((out.status, &*out.out), (Some(1), ""), "{out:?}");
        assert!(
            out.err.contains("/key can't be read by the program's user, nor can one other file"),
            "{out:?}"
        );
    }
    let out = cat(place.path(), &open);
    assert_eq!((out.status, &*out.out), (Some(0), "what it says\n"), "{out:?}");
    let copies = std::process::Command::new("find")
        .args(["/run/isol-cache", "/var/lib/isol-cache", "-path"])
        .arg(format!("*{}/key", place.path().display()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&copies.stdout), "");
    // The program itself is what is asked to be run, whoever can read it.
    let program = shut.join("id");
    copy_program("/usr/bin/id", &program);
    mode(&program, 0o700);
    run(isol_with(["run", "--"]).arg(&program)).succeeded();
}
