//! Each thing that the quick look refuses, planted and mended.

mod common;

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Scratch, chmod, closure, needs, needs_root, run_mend, throwaway};
use isol_core::{Gid, Uid};
use isol_root::safety::{Need, Runner, SafetyError, Subject, check, check_parents};
use isol_root::{Closure, Resolver, Sysroot, Throwaway};
use isol_sys::rootdir::Flaw;

fn runner(uid: u32, gid: u32) -> Runner<'static> {
    Runner { uid: Uid::new(uid).unwrap(), gid: Gid::new(gid).unwrap(), groups: &[] }
}

/// A root with `env` in it, and the closure as it stands there.
struct Case {
    scratch: Scratch,
    root: Throwaway,
    tree: Sysroot,
    closure: Closure,
}

impl Case {
    fn new() -> Self {
        let scratch = Scratch::new();
        let root = throwaway(&scratch, &closure("/usr/bin/env", &[]));
        let tree = Sysroot::open(root.path()).unwrap();
        let closure = Resolver::new(&tree).closure("/usr/bin/env".as_ref(), &[]).unwrap();
        Self { scratch, root, tree, closure }
    }

    fn check(&self) -> Result<(), SafetyError> {
        check(&self.tree, Subject::from(&self.closure), runner(61184, 61185))
    }

    /// Every file that is loaded and every directory on the way, links resolved, as seen from outside.
    fn all(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = Vec::new();
        for path in &self.closure.loaded {
            let trail = self.tree.walk(path).unwrap();
            for met in trail.met().iter().filter(|met| !met.meta.is_symlink()) {
                let path = self.root.path().join(met.path.strip_prefix("/").unwrap());
                let path = path.components().collect();
                if !all.contains(&path) {
                    all.push(path);
                }
            }
        }
        all
    }

    fn expect_unsafe(&self, path: &Path, flaw: Flaw) -> String {
        let error = self.check().unwrap_err();
        let SafetyError::Unsafe { path: named, what, mend, .. } = error else { panic!("{error}") };
        assert_eq!((named.components().collect::<PathBuf>(), what), (path.to_owned(), flaw));
        mend.unwrap()
    }

    fn end(self) {
        drop(self.root);
        self.scratch.expect_empty();
    }
}

#[test]
fn every_file_and_directory_counts() {
    if !needs_root() {
        return;
    }
    let case = Case::new();
    case.check().unwrap();
    let all = case.all();
    assert!(all.len() >= 8, "{all:?}");
    for path in &all {
        let mode = path.metadata().unwrap();
        let mode = std::os::unix::fs::MetadataExt::mode(&mode) & 0o7777;
        for bits in [0o020, 0o002, 0o1002] {
            chmod(path, mode | bits);
            run_mend(&case.expect_unsafe(path, Flaw::WritableByOthers));
            case.check().unwrap();
        }
        chown(path, Some(61184), None).unwrap();
        chmod(path, mode | 0o020);
        run_mend(&case.expect_unsafe(path, Flaw::ForeignOwner));
        case.check().unwrap();
    }
    case.end();
}

#[test]
fn what_leads_the_loader_counts_before_it_is_there() {
    if !needs_root() {
        return;
    }
    let case = Case::new();
    let etc = case.root.path().join("etc");
    chmod(&etc, 0o757);
    run_mend(&case.expect_unsafe(&etc, Flaw::WritableByOthers));
    for name in ["ld.so.preload", "ld.so.cache"] {
        let file = etc.join(name);
        fs::write(&file, "").unwrap();
        chmod(&file, 0o666);
        run_mend(&case.expect_unsafe(&file, Flaw::WritableByOthers));
        case.check().unwrap();
        // A link to where anybody can make the file.
        fs::remove_file(&file).unwrap();
        symlink("/tmp/planted", &file).unwrap();
        case.expect_unsafe(&case.root.path().join("tmp"), Flaw::WritableByOthers);
        // The link itself can be exchanged, wherever it leads.
        fs::remove_file(&file).unwrap();
        symlink("/usr/planted", &file).unwrap();
        chmod(&etc, 0o757);
        let consulted = [Path::new("/etc").join(name)];
        let subject = Subject { consulted: &consulted, ..Subject::default() };
        let error = check(&case.tree, subject, runner(61184, 61185)).unwrap_err();
        run_mend(&error.mend().unwrap());
        check(&case.tree, subject, runner(61184, 61185)).unwrap();
        fs::remove_file(&file).unwrap();
        case.check().unwrap();
    }
    case.end();
}

#[test]
fn access_lists_show_in_the_groups_bits() {
    let tools = needs(Command::new("setfacl").arg("--version").output().is_ok(), "setfacl");
    if !needs_root() || !tools {
        return;
    }
    let case = Case::new();
    let path = case.root.path().join("usr/bin/env");
    if !needs(
        Command::new("setfacl").args(["-m", "u:61184:rwx"]).arg(&path).status().unwrap().success(),
        "ACLs in /tmp",
    ) {
        return;
    }
    run_mend(&case.expect_unsafe(&path, Flaw::WritableByOthers));
    case.check().unwrap();
    let writes = Command::new("setpriv")
        .args(["--reuid=61184", "--regid=61185", "--clear-groups", "test", "-w"])
        .arg(&path)
        .status();
    assert!(!writes.unwrap().success(), "the mended file can still be written to");
    case.end();
}

#[test]
fn what_the_user_can_not_use_is_told_apart() {
    if !needs_root() {
        return;
    }
    let case = Case::new();
    let library =
        case.closure.loaded.iter().find(|path| path.to_string_lossy().contains("libc.")).unwrap();
    let outside = |path: &Path| {
        let real = case.tree.walk(path).unwrap().path().to_owned();
        case.root.path().join(real.strip_prefix("/").unwrap())
    };
    let cases = [
        (outside("/usr/bin/env".as_ref()), 0o444, 0o555, Need::Execute),
        (outside(&case.closure.executed[1]), 0o744, 0o555, Need::Execute),
        (outside(library), 0o400, 0o555, Need::Read),
        (outside("/usr/bin".as_ref()), 0o750, 0o755, Need::Search),
        (case.root.path().to_owned(), 0o700, 0o755, Need::Search),
    ];
    for (path, broken, whole, expected) in cases {
        chmod(&path, broken);
        let error = case.check().unwrap_err();
        let SafetyError::NotPermitted { path: named, need, mode, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(
            (named.components().collect::<PathBuf>(), *need, *mode),
            (path.clone(), expected, broken)
        );
        assert!(error.to_string().contains("by uid 61184"), "{error}");
        chmod(&path, whole);
        case.check().unwrap();
    }
    // Root's group, and a supplementary group, may do what the group may.
    let env = outside("/usr/bin/env".as_ref());
    chown(&env, None, Some(7)).unwrap();
    chmod(&env, 0o550);
    let groups = [Gid::new(7).unwrap()];
    let member = Runner { groups: &groups, ..runner(61184, 61185) };
    check(&case.tree, (&case.closure).into(), member).unwrap();
    check(&case.tree, (&case.closure).into(), runner(61184, 7)).unwrap();
    check(&case.tree, (&case.closure).into(), runner(0, 0)).unwrap();
    case.check().unwrap_err();
    case.end();
}

#[test]
fn links_are_followed_as_inside() {
    if !needs_root() {
        return;
    }
    let case = Case::new();
    // From outside this leads to the host's own, safe /usr; inside it leads to the tree's.
    let open = case.root.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::copy("/usr/bin/env", open.join("env")).unwrap();
    chmod(&open, 0o777);
    symlink("/open/env", case.root.path().join("usr/bin/linked")).unwrap();
    let closure = Resolver::new(&case.tree).closure("/usr/bin/linked".as_ref(), &[]).unwrap();
    let error = check(&case.tree, (&closure).into(), runner(61184, 61185)).unwrap_err();
    assert!(matches!(&error, SafetyError::Unsafe { path, .. } if *path == open), "{error}");
    case.end();
}

#[test]
fn parents_are_checked_by_the_one_function() {
    assert!(check_parents("/".as_ref()).is_err());
    assert!(check_parents("/usr".as_ref()).is_ok());
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    assert_eq!(check_parents(dir.path()).unwrap_err().mend(), Some("chmod go-w /tmp"));
}

/// A directory of a program's own search path is searched before the one that the library is in.
#[test]
fn a_directory_that_is_searched_in_vain_counts() {
    let compiler = needs(Command::new("cc").arg("--version").output().is_ok(), "a C compiler");
    if !needs_root() || !compiler {
        return;
    }
    let base = tempfile::tempdir_in("/opt").unwrap();
    let dir = base.path();
    chmod(dir, 0o755);
    fs::write(dir.join("x.c"), "int main(void) { return 0; }").unwrap();
    let status = Command::new("cc")
        .arg(format!("-Wl,-rpath,{}/early", dir.display()))
        .arg(dir.join("x.c"))
        .arg("-o")
        .arg(dir.join("x"))
        .status();
    assert!(status.unwrap().success());
    let host = Sysroot::open("/".as_ref()).unwrap();
    let look = || {
        let closure = Resolver::new(&host).closure(&dir.join("x"), &[]).unwrap();
        check(&host, Subject::from(&closure), runner(61184, 61185))
    };
    // Not there yet: whoever may make it counts.
    look().unwrap();
    chmod(dir, 0o777);
    assert!(matches!(look(), Err(SafetyError::Unsafe { .. })));
    chmod(dir, 0o755);
    fs::create_dir(dir.join("early")).unwrap();
    look().unwrap();
    chmod(dir.join("early"), 0o757);
    let error = look().unwrap_err();
    assert!(
        matches!(&error, SafetyError::Unsafe { path, .. } if path.ends_with("early")),
        "{error}"
    );
    chmod(dir.join("early"), 0o755);
    fs::create_dir_all(dir.join("early/glibc-hwcaps/x86-64-v3")).unwrap();
    chmod(dir.join("early/glibc-hwcaps"), 0o777);
    if std::env::consts::ARCH == "x86_64" {
        let error = look().unwrap_err();
        let hwcaps = |path: &Path| path.ends_with("glibc-hwcaps");
        assert!(matches!(&error, SafetyError::Unsafe { path, .. } if hwcaps(path)), "{error}");
    }
}
