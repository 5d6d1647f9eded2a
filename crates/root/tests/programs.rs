//! Programs of the host's, run in throw-away roots, and what is said of those that can't be.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use common::{Scratch, chmod, chroot, closure, host, needs, needs_root, stdout, throwaway};
use isol_root::closure::EntryKind;
use isol_root::{ClosureError, Resolver, Sysroot, find_program};

fn say(program: &str, extra: &[&str], command: &[&str]) -> String {
    let scratch = Scratch::new();
    let root = throwaway(&scratch, &closure(program, extra));
    let said = stdout(&chroot(root.path(), command));
    root.remove().unwrap();
    scratch.expect_empty();
    said
}

#[test]
fn id_knows_the_user_by_name_or_at_least_by_number() {
    if !needs_root() {
        return;
    }
    let said = say("/usr/bin/id", &[], &["/usr/bin/id"]);
    assert!(said.starts_with("uid=61184") && said.contains("gid=61185"), "{said}");
}

#[test]
fn a_shell_runs() {
    if !needs_root() || !needs(Path::new("/bin/bash").exists(), "bash") {
        return;
    }
    let said = say(
        "/bin/bash",
        &[],
        &["/bin/bash", "-c", "echo $((6 * 7)) /* && read -r x < /etc/passwd && echo $x"],
    );
    assert!(said.starts_with("42 /bin /dev /etc /lib"), "{said}");
    assert!(said.contains("root:x:0:0::/:"), "{said}");
}

#[test]
fn null_and_tmp_serve() {
    if !needs_root() || !needs(Path::new("/bin/bash").exists(), "bash") {
        return;
    }
    let script = "echo x > /dev/null && echo y > /tmp/f && read -r y < /tmp/f && ! (: > /f) 2> /dev/null && echo $y";
    assert_eq!(say("/bin/bash", &[], &["/bin/bash", "-c", script]), "y\n");
}

#[test]
fn python_runs_with_its_library_added() {
    let library = Path::new("/usr/lib/python3.11");
    if !needs_root()
        || !needs(library.exists() && Path::new("/usr/bin/python3").exists(), "python 3.11")
    {
        return;
    }
    let script =
        "import json, hashlib, ssl; print(json.dumps([hashlib.sha256(b'').hexdigest()[:4]]))";
    let command = ["/usr/bin/python3", "-c", script];
    assert_eq!(say("/usr/bin/python3", &["/usr/lib/python3.11"], &command), "[\"e3b0\"]\n");
}

#[test]
fn a_script_brings_its_interpreter() {
    if !needs_root() {
        return;
    }
    let dir = tempfile::Builder::new().prefix("isol-test-").tempdir_in("/opt").unwrap();
    chmod(dir.path(), 0o755);
    let [outer, inner] = ["outer", "inner"].map(|name| dir.path().join(name));
    fs::write(&inner, "#!/usr/bin/env sh\necho inner \"$@\"\n").unwrap();
    fs::write(&outer, format!("#! {} -x y\n", inner.display())).unwrap();
    chmod(&inner, 0o755);
    chmod(&outer, 0o755);
    let outer = outer.to_str().unwrap();
    assert_eq!(say(outer, &[], &[outer]), format!("inner -x y {outer}\n"));
    let executed = closure(outer, &[]).executed;
    assert!(executed.contains(&"/usr/bin/env".into()), "{executed:?}");
}

/// A root with one script in it, and what is said of that.
fn refusal(prepare: impl Fn(&Path), program: &str) -> ClosureError {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("bin")).unwrap();
    prepare(dir.path());
    let root = Sysroot::open(dir.path()).unwrap();
    Resolver::new(&root).closure(program.as_ref(), &[]).unwrap_err()
}

fn executable(path: PathBuf, text: impl AsRef<[u8]>) {
    fs::write(&path, text).unwrap();
    chmod(&path, 0o755);
}

#[test]
fn what_is_missing_is_named() {
    let cases: [(&str, &str, u8); 6] = [
        ("", "program /bin/p is not in the root", 127),
        ("#!/bin/sh\n", "/bin/sh, the interpreter of the script /bin/p, is not in the root", 127),
        ("#!/bin/p\n", "script /bin/p has too many interpreters that are scripts themselves", 126),
        ("echo hello\n", "/bin/p is neither an ELF program nor a script with a #! line", 126),
        ("\x7fELF", "/bin/p: not an ELF file", 126),
        ("#!\n", "/bin/p is neither an ELF program nor a script with a #! line", 126),
    ];
    for (text, message, status) in cases {
        let write = |root: &Path| {
            if !text.is_empty() {
                executable(root.join("bin/p"), text)
            }
        };
        let error = refusal(write, "/bin/p");
        assert_eq!((error.to_string().as_str(), error.status()), (message, status));
    }
    let error =
        refusal(|root| fs::copy("/usr/bin/env", root.join("bin/p")).map(drop).unwrap(), "/bin/p");
    assert!(matches!(error, ClosureError::InterpreterMissing { .. }), "{error}");
    assert!(error.to_string().ends_with(", the loader of /bin/p, is not in the root"), "{error}");
}

#[test]
fn what_is_no_program_is_told_apart() {
    assert!(matches!(refusal(|_| {}, "/bin"), ClosureError::IsDirectory { .. }));
    let error = refusal(|root| fs::write(root.join("bin/p"), "x").unwrap(), "/bin/p");
    assert!(matches!(error, ClosureError::NotExecutable { .. }), "{error}");
    let error = refusal(|root| symlink("p", root.join("bin/p")).unwrap(), "/bin/p");
    assert!(error.to_string().contains("too many symbolic links"), "{error}");
    // Outside there is one, but a link in the root does not lead there.
    let error = refusal(|root| symlink("/usr/bin/env", root.join("bin/p")).unwrap(), "/bin/p");
    assert!(matches!(error, ClosureError::ProgramMissing { .. }), "{error}");
}

#[test]
fn programs_are_found_by_name() {
    let dir = tempfile::tempdir().unwrap();
    for bin in ["bin", "usr/sbin"] {
        fs::create_dir_all(dir.path().join(bin)).unwrap();
        executable(dir.path().join(bin).join("p"), "");
    }
    fs::create_dir_all(dir.path().join("usr/local/bin/p")).unwrap();
    let root = Sysroot::open(dir.path()).unwrap();
    assert_eq!(find_program("p".as_ref(), &root).unwrap(), Path::new("/usr/sbin/p"));
    assert_eq!(find_program("./p".as_ref(), &root).unwrap(), Path::new("./p"));
    for name in ["", ".", "..", "q"] {
        let error = find_program(name.as_ref(), &root).unwrap_err();
        assert!(error.to_string().contains("(searched /usr/local/sbin, "), "{error}");
    }
}

#[test]
fn extras_bring_what_is_below_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    let extra = base.join("extra");
    fs::create_dir_all(extra.join("deep/er")).unwrap();
    fs::write(extra.join("deep/file"), "x").unwrap();
    fs::write(base.join("secret"), "x").unwrap();
    symlink(base.join("secret"), extra.join("deep/link")).unwrap();
    symlink("deep", extra.join("dir-link")).unwrap();
    symlink("extra", base.join("named-link")).unwrap();
    nix::unistd::mkfifo(&extra.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();

    let closure =
        Resolver::new(&host()).closure("/bin/sh".as_ref(), &[base.join("named-link")]).unwrap();
    let kind = |path: PathBuf| {
        closure.entries.iter().find(|entry| entry.path == path).map(|entry| &entry.kind)
    };
    assert!(matches!(kind(extra.join("deep/er")), Some(EntryKind::Directory { .. })));
    assert!(matches!(
        kind(extra.join("deep/file")),
        Some(EntryKind::File { executable: false, .. })
    ));
    assert!(matches!(kind(extra.join("deep/link")), Some(EntryKind::Symlink { .. })));
    assert!(matches!(kind(base.join("named-link")), Some(EntryKind::Symlink { .. })));
    assert_eq!(kind(base.join("secret")), None, "a link in an added directory is not followed");
    assert_eq!(closure.skipped, [extra.join("pipe")]);

    let missing = [base.join("nothing")];
    let error = Resolver::new(&host()).closure("/bin/sh".as_ref(), &missing).unwrap_err();
    assert!(matches!(error, ClosureError::ExtraMissing { .. }), "{error}");
}
