//! Programs made for the purpose: search paths of every kind, compared with the loader, and run in a throw-away root.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Scratch, chroot, host, needs, needs_root, options, stdout};
use isol_root::{ClosureError, Resolver, Sysroot, Throwaway};

fn has(tool: &str) -> bool {
    needs(Command::new(tool).arg("--version").output().is_ok(), tool)
}

fn cc(compiler: &str, dir: &Path, args: &[&str]) {
    let done = Command::new(compiler).current_dir(dir).args(args).output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A program that needs `liba`, which needs `libb`; both are in `libs`, which only the program's own search path names.
fn build(compiler: &str, dir: &Path, search: &[&str]) {
    fs::create_dir_all(dir.join("bin")).unwrap();
    fs::create_dir_all(dir.join("libs")).unwrap();
    fs::write(dir.join("b.c"), "int b(void) { return 42; }\n").unwrap();
    fs::write(dir.join("a.c"), "int b(void); int a(void) { return b(); }\n").unwrap();
    fs::write(
        dir.join("p.c"),
        "#include <stdio.h>\nint a(void); int main(void) { return printf(\"%d\\n\", a()) < 0; }\n",
    )
    .unwrap();
    cc(
        compiler,
        dir,
        &["-shared", "-fPIC", "-o", "libs/libb.so.1", "b.c", "-Wl,-soname,libb.so.1"],
    );
    cc(
        compiler,
        dir,
        &[
            "-shared",
            "-fPIC",
            "-o",
            "libs/liba.so.1",
            "a.c",
            "-Wl,-soname,liba.so.1",
            "libs/libb.so.1",
        ],
    );
    let mut args = vec!["-o", "bin/p", "p.c", "libs/liba.so.1", "-Wl,-rpath-link,libs"];
    args.extend(search);
    cc(compiler, dir, &args);
}

fn runs_in_a_throwaway(program: &Path) {
    let scratch = Scratch::new();
    let closure = Resolver::new(&host()).closure(program, &[]).unwrap();
    let root = Throwaway::create(&scratch.state, &host(), &closure, &options()).unwrap();
    assert_eq!(stdout(&chroot(root.path(), &[program.to_str().unwrap()])), "42\n");
    root.remove().unwrap();
    scratch.expect_empty();
}

/// A directory whose every component is root's, and that can be searched by everybody.
fn place() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("isol-test-").tempdir_in("/opt").unwrap();
    common::chmod(dir.path(), 0o755);
    dir
}

#[test]
fn rpath_is_inherited() {
    if !needs_root() || !has("gcc") {
        return;
    }
    let dir = place();
    let rpath = format!("-Wl,-rpath,{}", dir.path().join("libs").display());
    build("gcc", dir.path(), &["-Wl,--disable-new-dtags", &rpath]);
    runs_in_a_throwaway(&dir.path().join("bin/p"));
}

/// There is no /proc in the root, so that the loader does not know where the program is: the cache made for the root
/// leads it there.
#[test]
fn origin_works_without_proc() {
    if !needs_root() || !has("gcc") {
        return;
    }
    let dir = place();
    build("gcc", dir.path(), &["-Wl,--disable-new-dtags", "-Wl,-rpath,$ORIGIN/../libs"]);
    runs_in_a_throwaway(&dir.path().join("bin/p"));
}

#[test]
fn runpath_is_not_inherited() {
    if !has("gcc") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    build("gcc", dir.path(), &["-Wl,--enable-new-dtags", "-Wl,-rpath,$ORIGIN/../libs"]);
    let program = dir.path().canonicalize().unwrap().join("bin/p");
    let says = Command::new(&program).output().unwrap();
    assert!(
        String::from_utf8_lossy(&says.stderr).contains("libb.so.1"),
        "the loader finds it after all"
    );
    let error = Resolver::new(&host()).closure(&program, &[]).unwrap_err();
    let ClosureError::LibraryMissing { first, others } = &error else { panic!("{error}") };
    assert_eq!((first.library.to_str(), others.len()), (Some("libb.so.1"), 0));
    assert!(first.needed_by.ends_with("libs/liba.so.1"), "{}", first.needed_by.display());
    assert_eq!(error.status(), 127);
}

#[test]
fn all_missing_libraries_are_named() {
    if !has("gcc") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    build("gcc", dir.path(), &["-Wl,--no-as-needed", "libs/libb.so.1"]);
    let error = Resolver::new(&host()).closure(&dir.path().join("bin/p"), &[]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("library liba.so.1, needed by "), "{text}");
    assert!(text.contains("is not on this host (searched "), "{text}");
    assert!(text.contains("also missing: libb.so.1"), "{text}");
}

#[test]
fn a_name_with_a_slash_is_a_path() {
    if !needs_root() || !has("gcc") {
        return;
    }
    let dir = place();
    build("gcc", dir.path(), &["-Wl,-rpath,/nowhere"]);
    // Without a soname the path that the linker was given is what stands in the program.
    let libs = dir.path().join("libs");
    let path = |name: &str| libs.join(name).to_str().unwrap().to_owned();
    cc("gcc", dir.path(), &["-shared", "-fPIC", "-o", "libs/b.so", "b.c"]);
    cc("gcc", dir.path(), &["-shared", "-fPIC", "-o", "libs/a.so", "a.c", &path("b.so")]);
    cc("gcc", dir.path(), &["-o", "bin/p", "p.c", &path("a.so"), "-Wl,-rpath-link,/"]);
    runs_in_a_throwaway(&dir.path().join("bin/p"));
}

#[test]
fn libraries_for_other_machines_are_passed_over() {
    if !needs_root() || !has("gcc") {
        return;
    }
    let dir = place();
    let other = dir.path().join("other");
    fs::create_dir(&other).unwrap();
    let rpath = format!("-Wl,-rpath,{}:{}", other.display(), dir.path().join("libs").display());
    build("gcc", dir.path(), &["-Wl,--disable-new-dtags", &rpath]);
    let mut library = fs::read(dir.path().join("libs/liba.so.1")).unwrap();
    library[18] = 3;
    fs::write(other.join("liba.so.1"), library).unwrap();
    runs_in_a_throwaway(&dir.path().join("bin/p"));

    fs::remove_file(dir.path().join("libs/liba.so.1")).unwrap();
    let error = Resolver::new(&host()).closure(&dir.path().join("bin/p"), &[]).unwrap_err();
    assert!(
        error.to_string().contains("other/liba.so.1 is no library for this program"),
        "{error}"
    );
}

#[test]
fn a_static_program_needs_nothing() {
    if !needs_root() || !has("gcc") {
        return;
    }
    let dir = place();
    fs::write(dir.path().join("p.c"), "#include <stdio.h>\nint main(void) { puts(\"42\"); }\n")
        .unwrap();
    for kind in ["-static", "-static-pie"] {
        cc("gcc", dir.path(), &[kind, "-o", "p", "p.c"]);
        let closure = Resolver::new(&host()).closure(&dir.path().join("p"), &[]).unwrap();
        assert_eq!(closure.loaded, [dir.path().join("p")]);
        runs_in_a_throwaway(&dir.path().join("p"));
    }
}

/// Debian: `apt-get install musl-tools`.
#[test]
fn musl_programs_run() {
    if !needs_root() || !has("musl-gcc") {
        return;
    }
    let dir = place();
    build("musl-gcc", dir.path(), &["-Wl,-rpath,$ORIGIN/../libs"]);
    let program = dir.path().join("bin/p");
    let closure = Resolver::new(&host()).closure(&program, &[]).unwrap();
    let loader = &closure.executed[1];
    assert!(loader.to_str().unwrap().starts_with("/lib/ld-musl-"), "{}", loader.display());
    let names: Vec<_> = closure.loaded[2..]
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, ["liba.so.1", "libb.so.1"]);
    runs_in_a_throwaway(&program);
}

/// The same code answers why a program can't start in a root that is there already.
#[test]
fn a_root_is_looked_at_as_the_loader_will() {
    if !needs_root() || !has("gcc") {
        return;
    }
    let dir = place();
    build("gcc", dir.path(), &["-Wl,--disable-new-dtags", "-Wl,-rpath,$ORIGIN/../libs"]);
    let program = dir.path().join("bin/p");
    let scratch = Scratch::new();
    let closure = Resolver::new(&host()).closure(&program, &[]).unwrap();
    let root = Throwaway::create(&scratch.state, &host(), &closure, &options()).unwrap();
    let tree = Sysroot::open(root.path()).unwrap();
    Resolver::new(&tree).closure(&program, &[]).unwrap();

    // Without the cache the loader has nothing but $ORIGIN to go by, and no /proc.
    fs::remove_file(root.path().join("etc/ld.so.cache")).unwrap();
    let text = Resolver::new(&tree).closure(&program, &[]).unwrap_err().to_string();
    assert!(text.starts_with("library liba.so.1, needed by "), "{text}");
    assert!(text.contains("is not in the root (searched "), "{text}");
    let says = chroot(root.path(), &[program.to_str().unwrap()]);
    assert!(!says.status.success());
    assert!(String::from_utf8_lossy(&says.stderr).contains("liba.so.1"), "{says:?}");
    Resolver::new(&tree).with_proc().closure(&program, &[]).unwrap();
    drop(root);
    scratch.expect_empty();
}
