use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::*;

fn tree() -> (tempfile::TempDir, Sysroot) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("usr/lib/deep")).unwrap();
    fs::write(dir.path().join("usr/lib/libc.so.6"), "x").unwrap();
    symlink("usr/lib", dir.path().join("lib")).unwrap();
    symlink("/lib/libc.so.6", dir.path().join("usr/abs")).unwrap();
    symlink("../../../../../usr", dir.path().join("usr/lib/up")).unwrap();
    symlink("loop", dir.path().join("loop")).unwrap();
    symlink("nowhere", dir.path().join("dangling")).unwrap();
    let root = Sysroot::open(dir.path()).unwrap();
    (dir, root)
}

fn paths(trail: &Trail) -> Vec<&str> {
    trail.met().iter().map(|met| met.path.to_str().unwrap()).collect()
}

#[test]
fn links_and_directories_are_met_in_order() {
    let (_dir, root) = tree();
    let trail = root.walk("/usr/abs".as_ref()).unwrap();
    assert_eq!(
        paths(&trail),
        ["/", "/usr", "/usr/abs", "/lib", "/usr", "/usr/lib", "/usr/lib/libc.so.6"]
    );
    assert_eq!(trail.met()[3].kind, Kind::Symlink { target: "usr/lib".into() });
    assert_eq!(trail.last().kind, Kind::File);
    assert_eq!(trail.open_file().unwrap().metadata().unwrap().len(), 1);
    assert!(trail.dir().is_none());
}

#[test]
fn nothing_leads_outside() {
    let (dir, root) = tree();
    symlink("/etc/passwd", dir.path().join("out")).unwrap();
    assert!(matches!(root.walk("out".as_ref()), Err(WalkError::Missing { component, .. })
        if component == Path::new("/etc")));
    assert_eq!(root.walk("../../..".as_ref()).unwrap().path(), Path::new("/"));
    assert_eq!(root.walk("/lib/up/lib".as_ref()).unwrap().path(), Path::new("/usr/lib"));
    let trail = root.walk("/lib/deep/..".as_ref()).unwrap();
    assert_eq!(trail.path(), Path::new("/usr/lib"));
    assert!(Meta::of(trail.dir().unwrap()).unwrap().same_file(&trail.last().meta));
}

#[test]
fn what_stands_in_the_way_is_named() {
    let (_dir, root) = tree();
    let error = |path: &str| root.walk(path.as_ref()).unwrap_err();
    assert_eq!(error("/lib/x/y").to_string(), "/usr/lib/x does not exist");
    assert_eq!(error("/dangling").to_string(), "/nowhere does not exist");
    assert_eq!(error("/usr/abs/x").to_string(), "/usr/lib/libc.so.6 is not a directory");
    assert_eq!(error("/usr/abs/..").to_string(), "/usr/lib/libc.so.6 is not a directory");
    assert_eq!(error("/loop"), WalkError::Loop { path: "/loop".into() });
}

#[test]
fn the_limit_on_links_is_the_kernels() {
    let (dir, root) = tree();
    symlink("usr", dir.path().join("l0")).unwrap();
    for n in 1..=MAX_LINKS {
        symlink(format!("l{}", n - 1), dir.path().join(format!("l{n}"))).unwrap();
    }
    let last = format!("/l{}", MAX_LINKS - 1);
    assert_eq!(root.walk(last.as_ref()).unwrap().path(), Path::new("/usr"));
    assert!(fs::metadata(dir.path().join(&last[1..])).is_ok());
    let over = format!("/l{MAX_LINKS}");
    assert!(matches!(root.walk(over.as_ref()), Err(WalkError::Loop { .. })));
}

#[test]
fn names_may_be_any_bytes() {
    let (dir, root) = tree();
    let name = OsStr::from_bytes(b"\xff\xfe name");
    fs::write(dir.path().join(name), "").unwrap();
    assert_eq!(root.walk(name.as_ref()).unwrap().path(), Path::new("/").join(name));
}

#[test]
fn a_pipe_is_not_opened() {
    let (dir, root) = tree();
    nix::unistd::mkfifo(&dir.path().join("pipe"), Mode::S_IRWXU).unwrap();
    let trail = root.walk("/pipe".as_ref()).unwrap();
    assert_eq!(trail.last().kind, Kind::Other);
    assert!(matches!(trail.open_file(), Err(WalkError::Changed { .. })));
}
