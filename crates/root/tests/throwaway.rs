//! Throw-away roots: what is in them, and that nothing is left of them.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{
    Scratch, chmod, chroot, closure, host, is_root, needs, needs_root, options, throwaway,
};
use isol_core::{Gid, Uid};
use isol_root::throwaway::{Note, Options, ThrowawayError};
use isol_root::{Resolver, Throwaway, sweep};
use isol_sys::state::StateDir;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, mkdirat};

fn each(dir: &Path, visit: &mut impl FnMut(&Path, &fs::Metadata)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let meta = path.symlink_metadata().unwrap();
        visit(&path, &meta);
        if meta.is_dir() {
            each(&path, visit);
        }
    }
}

#[test]
fn where_devices_are_in_a_devfs_only_that_is_said() {
    let note = |source| Note::NoNullDevice { source }.to_string();
    assert!(note(nix::errno::Errno::ENOTSUP).ends_with(": devices are in a devfs only"));
    assert_eq!(note(nix::errno::Errno::EACCES), "/dev/null could not be made: Permission denied");
}

#[test]
fn owners_and_modes_are_as_promised_whatever_the_umask() {
    if !needs_root() {
        return;
    }
    for umask in ["777", "022", "0"] {
        let scratch = Scratch::new();
        // In a process of its own: the umask is every thread's.
        let mut command = Command::new("sh");
        command.args(["-c", &format!("umask {umask}; exec \"$0\" --exact helper")]);
        command.arg(std::env::current_exe().unwrap()).stdout(Stdio::null());
        command.env("ISOL_TEST_STATE", scratch.state.path());
        assert!(command.status().unwrap().success());
        scratch.expect_empty();
    }
}

fn owners_and_modes(state: &StateDir) {
    let base = tempfile::tempdir_in("/opt").unwrap();
    chmod(base.path(), 0o777);
    for (name, mode) in [("su", 0o6755), ("w", 0o666), ("x", 0o700)] {
        fs::write(base.path().join(name), "x").unwrap();
        std::os::unix::fs::chown(base.path().join(name), Some(33), Some(33)).unwrap();
        chmod(base.path().join(name), mode);
    }
    let closure = closure("/usr/bin/id", &[base.path().to_str().unwrap()]);
    let root = Throwaway::create(state, &host(), &closure, &options()).unwrap();
    let path = root.path();
    assert_eq!(path.symlink_metadata().unwrap().mode() & 0o7777, 0o755);
    each(path, &mut |path, meta| {
        let below = path.strip_prefix(root.path()).unwrap();
        let mode = meta.mode() & 0o7777;
        assert_eq!((meta.uid(), meta.gid()), (0, 0), "{}", path.display());
        if meta.is_dir() {
            let expected = if below == Path::new("tmp") { 0o1777 } else { 0o755 };
            assert_eq!(mode, expected, "{}", path.display());
        } else if meta.is_file() {
            assert!(matches!(mode, 0o444 | 0o555 | 0o500), "{} {mode:o}", path.display());
            assert_eq!(meta.nlink(), 1, "{}", path.display());
        } else if below == Path::new("dev/null") {
            assert_eq!((mode, meta.rdev()), (0o666, fs::metadata("/dev/null").unwrap().rdev()));
        } else {
            assert!(meta.is_symlink(), "{}", path.display());
        }
    });
    let copy = |name: &str| path.join(base.path().strip_prefix("/").unwrap()).join(name);
    let modes = ["su", "w", "x"].map(|name| copy(name).metadata().unwrap().mode() & 0o7777);
    assert_eq!(modes, [0o555, 0o444, 0o500]);
    assert_eq!(fs::read_to_string(path.join("etc/group")).unwrap(), "root:x:0:\nisol:x:61185:\n");
    let passwd = fs::read_to_string(path.join("etc/passwd")).unwrap();
    assert_eq!(passwd.lines().nth(1), Some("isol:x:61184:61185::/:/usr/sbin/nologin"));
    let first = base.path().join("x");
    assert_eq!(root.notes(), [Note::Withheld { first, more: 0 }]);
}

/// What the user of the root can read of `paths`, which are the host's.
fn readable<'a>(root: &Throwaway, paths: &[&'a Path]) -> Vec<&'a Path> {
    let reads =
        |path: &&&Path| chroot(root.path(), &["/bin/cat", path.to_str().unwrap()]).status.success();
    paths.iter().filter(reads).copied().collect()
}

#[test]
fn nobody_reads_more_in_the_root_than_on_the_host() {
    if !needs_root() {
        return;
    }
    let base = tempfile::tempdir_in("/opt").unwrap();
    chmod(base.path(), 0o755);
    let path = |name: &str| base.path().join(name);
    let (shut, searched) = (path("shut"), path("searched"));
    for (dir, mode) in [(&shut, 0o700), (&searched, 0o711)] {
        fs::create_dir(dir).unwrap();
        fs::write(dir.join("open"), "x").unwrap();
        chmod(dir.join("open"), 0o644);
        chmod(dir, mode);
    }
    for (name, mode, gid) in
        [("key", 0o600, 0), ("roots", 0o640, 0), ("shadow", 0o640, 42), ("open", 0o644, 0)]
    {
        fs::write(path(name), "x").unwrap();
        std::os::unix::fs::chown(path(name), Some(0), Some(gid)).unwrap();
        chmod(path(name), mode);
    }
    let files = ["key", "roots", "shadow", "open", "shut/open", "searched/open"].map(path);
    let files = files.each_ref().map(|path| &**path);
    let scratch = Scratch::new();
    let root = throwaway(&scratch, &closure("/bin/cat", &[base.path().to_str().unwrap()]));
    assert_eq!(readable(&root, &files), [path("open"), path("searched/open")]);
    // Whoever has root's group has no more, either: it is not the group that may read it on the host.
    let inside = |name: &str| root.path().join(path(name).strip_prefix("/").unwrap());
    let mode = |name: &str| inside(name).metadata().unwrap().mode() & 0o7777;
    let modes = ["key", "roots", "shadow", "shut", "searched", "shut/open"].map(mode);
    assert_eq!(modes, [0o400, 0o440, 0o400, 0o700, 0o711, 0o400]);
    let told = root.notes().iter().map(ToString::to_string).collect::<Vec<_>>().concat();
    assert!(
        told.starts_with(path("key").to_str().unwrap()) && told.contains("3 other files"),
        "{told}"
    );
    // What was asked for by its name has to be of use.
    let asked = |name: &str| root.check_asked(&host(), &[path(name)], &options());
    assert_eq!(asked("open"), Ok(()));
    for (name, culprit, letter) in
        [("key", "key", 'r'), ("shadow", "shadow", 'r'), ("shut/open", "shut", 'x')]
    {
        let error = asked(name).unwrap_err();
        let mend = format!("chmod o+{letter} {}", path(culprit).display());
        assert_eq!(error.mend().as_ref(), Some(&mend), "{error}");
    }
    drop(root);
    scratch.expect_empty();
}

#[test]
fn the_program_is_its_user_s_to_run_and_nothing_else_is() {
    if !needs_root() {
        return;
    }
    let base = tempfile::tempdir_in("/opt").unwrap();
    chmod(base.path(), 0o700);
    let program = base.path().join("cat");
    fs::copy("/bin/cat", &program).unwrap();
    chmod(&program, 0o700);
    let beside = base.path().join("beside");
    fs::write(&beside, "x").unwrap();
    chmod(&beside, 0o644);
    let scratch = Scratch::new();
    let closure_of =
        |program: &Path| closure(program.to_str().unwrap(), &[beside.to_str().unwrap()]);
    let root = throwaway(&scratch, &closure_of(&program));
    let runs = |root: &Throwaway, file: &Path| {
        let words = [program.to_str().unwrap(), file.to_str().unwrap()];
        chroot(root.path(), &words).status.success()
    };
    assert!(runs(&root, &program));
    assert!(!runs(&root, &beside));
    drop(root);
    // An interpreter is not what was asked for: it stays root's, and a script that needs it is refused.
    let script = base.path().join("script");
    fs::write(&script, format!("#!{}\n", program.display())).unwrap();
    chmod(&script, 0o755);
    let made = Throwaway::create(&scratch.state, &host(), &closure_of(&script), &options());
    let ThrowawayError::Withheld { path, .. } = made.unwrap_err() else { panic!() };
    assert_eq!(path, base.path());
    scratch.expect_empty();
}

#[test]
fn capabilities_and_attributes_are_not_copied() {
    let tools = needs(Command::new("setcap").arg("-h").output().is_ok(), "setcap");
    if !needs_root() || !tools {
        return;
    }
    let base = tempfile::tempdir_in("/opt").unwrap();
    let program = base.path().join("id");
    fs::copy("/usr/bin/id", &program).unwrap();
    assert!(Command::new("setcap").arg("cap_net_raw+ep").arg(&program).status().unwrap().success());
    let has = |path: &Path| {
        isol_sys::xattr::has_file_capabilities(fs::File::open(path).unwrap()).unwrap()
    };
    assert!(has(&program));
    let scratch = Scratch::new();
    let root = throwaway(&scratch, &closure(program.to_str().unwrap(), &[]));
    assert!(!has(&root.path().join(program.strip_prefix("/").unwrap())));
    drop(root);
    scratch.expect_empty();
}

#[test]
fn a_lock_is_held_as_long_as_the_root_lives() {
    let scratch = Scratch::new();
    let root = throwaway(&scratch, &closure("/bin/sh", &[]));
    let name = root.path().file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.starts_with("root-") && name.len() == 21, "{name}");
    assert_eq!(root.lock().unwrap().name(), name);
    assert!(scratch.state.try_lock(&name).unwrap().is_none());
    assert_eq!(sweep(&scratch.state, |_| panic!()).unwrap().removed, [""; 0]);
    assert!(root.path().join("bin").exists());
    root.remove().unwrap();
    scratch.expect_empty();
}

#[test]
fn what_fails_half_way_leaves_nothing() {
    let scratch = Scratch::new();
    let base = tempfile::tempdir().unwrap();
    let file = base.path().canonicalize().unwrap().join("z");
    fs::write(&file, "before").unwrap();
    let closure =
        Resolver::new(&host()).closure("/bin/sh".as_ref(), std::slice::from_ref(&file)).unwrap();
    let create = || Throwaway::create(&scratch.state, &host(), &closure, &options());
    create().unwrap().remove().unwrap();

    fs::write(&file, "after, and longer").unwrap();
    let error = create().unwrap_err();
    assert!(matches!(&error, ThrowawayError::Changed { path } if *path == file), "{error}");
    // Another file in its place, and something that would be followed, or waited for.
    for replace in [
        |path: &Path| fs::write(path, "before").unwrap(),
        |path: &Path| symlink("/etc/passwd", path).unwrap(),
        |path: &Path| nix::unistd::mkfifo(path, Mode::S_IRWXU).unwrap(),
        |path: &Path| fs::create_dir(path).unwrap(),
        |_: &Path| {},
    ] {
        fs::remove_file(&file).or_else(|_| fs::remove_dir(&file)).unwrap_or_default();
        replace(&file);
        create().unwrap_err();
    }
    scratch.expect_empty();
}

#[test]
fn names_that_would_break_passwd_are_refused() {
    let scratch = Scratch::new();
    for name in ["", "a:b", "a\nroot:x:0:0", "root", "-x", "é"] {
        let options = Options { name: name.into(), ..options() };
        let error = Throwaway::create(&scratch.state, &host(), &closure("/bin/sh", &[]), &options)
            .unwrap_err();
        assert!(matches!(error, ThrowawayError::BadName { .. }), "{error}");
    }
    let root = Options::new(Uid::ROOT, Gid::ROOT);
    let root = Throwaway::create(&scratch.state, &host(), &closure("/bin/sh", &[]), &root).unwrap();
    assert_eq!(fs::read_to_string(root.path().join("etc/passwd")).unwrap().lines().count(), 1);
    drop(root);
    scratch.expect_empty();
}

#[test]
fn a_program_in_tmp_keeps_tmp_closed() {
    let scratch = Scratch::new();
    let base = tempfile::tempdir_in("/tmp").unwrap();
    fs::copy("/bin/sh", base.path().join("sh")).unwrap();
    let root = throwaway(&scratch, &closure(base.path().join("sh").to_str().unwrap(), &[]));
    assert!(root.notes().contains(&Note::TmpReadOnly));
    assert_eq!(root.path().join("tmp").metadata().unwrap().mode() & 0o7777, 0o755);
    drop(root);
    scratch.expect_empty();
}

#[test]
fn without_devices_it_is_said_that_there_is_no_null() {
    if !needs_root() {
        return;
    }
    let mount = Mounted::tmpfs("nodev");
    let scratch = Scratch::below(&mount.0);
    let root = throwaway(&scratch, &closure("/bin/sh", &[]));
    assert_eq!(root.notes(), [Note::NoNullDevice { source: nix::errno::Errno::EACCES }]);
    assert_eq!(root.notes()[0].to_string(), "/dev/null could not be made: Permission denied");
    assert!(!root.path().join("dev/null").exists());
    assert!(!scratch.state.devices_work().unwrap());
    drop(root);
    scratch.expect_empty();
}

/// A file system of its own, as long as this lives.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn tmpfs(options: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("isol-mount-").tempdir_in("/opt").unwrap().keep();
        let options = format!("mode=755,{options}");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "isol-test"])
            .arg(&dir)
            .status();
        assert!(mount.unwrap().success());
        Self(dir)
    }

    fn bind(from: &Path, to: &Path) -> Self {
        assert!(Command::new("mount").arg("--bind").args([from, to]).status().unwrap().success());
        Self(to.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        assert!(Command::new("umount").arg(&self.0).status().unwrap().success());
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn mounts_in_a_root_are_left_alone() {
    if !needs_root() {
        return;
    }
    let scratch = Scratch::new();
    let precious = tempfile::tempdir_in("/tmp").unwrap();
    fs::create_dir_all(precious.path().join("sub/deep")).unwrap();
    fs::write(precious.path().join("sub/file"), "x").unwrap();
    for deep in ["mnt", "tmp/a/b/mnt", "tmp/a/mnt"] {
        for bind in [true, false] {
            let root = throwaway(&scratch, &closure("/bin/sh", &[]));
            let name = root.path().file_name().unwrap().to_owned();
            let point = root.path().join(deep);
            fs::create_dir_all(&point).unwrap();
            // A bind mount has the same device number as what is around it.
            if bind {
                assert!(
                    Command::new("mount")
                        .arg("--bind")
                        .args([precious.path(), &point])
                        .status()
                        .unwrap()
                        .success()
                );
            } else {
                assert!(
                    Command::new("mount")
                        .args(["-t", "tmpfs", "x"])
                        .arg(&point)
                        .status()
                        .unwrap()
                        .success()
                );
                fs::write(point.join("file"), "x").unwrap();
            }
            let error = root.remove().unwrap_err();
            let ThrowawayError::Remove(error) = &error else { panic!("{error}") };
            assert!(error.to_string().contains("something is mounted on "), "{error}");
            // As often as it is tried, and by whomever.
            let swept = sweep(&scratch.state, |_| true).unwrap();
            assert_eq!(swept.failed.len(), 1);
            assert_eq!(swept.failed[0].0.as_bytes(), name.as_bytes());
            let ThrowawayError::Remove(error) = &swept.failed[0].1 else { panic!() };
            common::run_mend(&error.mend().unwrap());
            assert_eq!(sweep(&scratch.state, |_| true).unwrap().removed.len(), 1);
            assert!(
                precious.path().join("sub/file").exists()
                    && precious.path().join("sub/deep").exists()
            );
        }
    }
    scratch.expect_empty();
}

#[test]
fn a_mount_on_the_root_itself_is_left_alone() {
    if !needs_root() {
        return;
    }
    let scratch = Scratch::new();
    let precious = tempfile::tempdir_in("/tmp").unwrap();
    fs::write(precious.path().join("file"), "x").unwrap();
    let root = throwaway(&scratch, &closure("/bin/sh", &[]));
    let path = root.path().to_owned();
    let mount = Mounted::bind(precious.path(), &path);
    root.remove().unwrap_err();
    assert!(precious.path().join("file").exists());
    // Dropping it unmounts, and can't remove what is below the mount point.
    drop(mount);
    sweep(&scratch.state, |_| true).unwrap();
    scratch.expect_empty();
}

fn directory(parent: impl AsFd, name: &OsStr) -> OwnedFd {
    mkdirat(&parent, name, Mode::S_IRWXU).unwrap();
    openat(&parent, name, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
        .unwrap()
}

#[test]
fn whatever_a_program_leaves_behind_is_removed() {
    // In memory where there is such a place: 20,000 directories take a journal its time.
    let memory = Path::new("/dev/shm");
    let scratch = if memory.is_dir() { Scratch::below(memory) } else { Scratch::new() };
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "x").unwrap();
    let root = throwaway(&scratch, &closure("/bin/sh", &[]));
    let tmp = fs::File::open(root.path().join("tmp")).unwrap();

    let mut here = directory(&tmp, OsStr::from_bytes(b"\xff\x80\n deep"));
    for _ in 0..20_000 {
        here = directory(&here, OsStr::new("d"));
    }
    let wide = directory(&tmp, OsStr::new("wide"));
    for n in 0..2000 {
        directory(&wide, OsStr::new(&n.to_string()));
    }
    // Names that the removal itself would use.
    for n in 0..5 {
        fs::write(root.path().join(format!(".{}-{n}", std::process::id())), "x").unwrap();
        directory(&wide, OsStr::new(&format!(".{}-{n}", std::process::id())));
    }
    symlink(outside.path(), root.path().join("tmp/out")).unwrap();
    symlink("/", root.path().join("tmp/root")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("tmp/socket")).unwrap();
    nix::unistd::mkfifo(&root.path().join("tmp/pipe"), Mode::empty()).unwrap();
    if is_root() {
        // Nobody may read it but root.
        let closed = root.path().join("tmp/closed/inner");
        fs::create_dir_all(&closed).unwrap();
        std::os::unix::fs::chown(&closed, Some(61184), Some(61184)).unwrap();
        chmod(&closed, 0);
        chmod(closed.parent().unwrap(), 0);
    }
    root.remove().unwrap();
    assert!(outside.path().join("precious").exists());
    scratch.expect_empty();
}

#[test]
fn what_can_not_be_removed_is_named_and_found_again() {
    let tools = needs(Command::new("chattr").arg("-V").output().is_ok(), "chattr");
    if !needs_root() || !tools {
        return;
    }
    let scratch = Scratch::new();
    let root = throwaway(&scratch, &closure("/bin/sh", &[]));
    fs::create_dir(root.path().join("tmp/d")).unwrap();
    fs::write(root.path().join("tmp/d/fixed"), "x").unwrap();
    let chattr = |flag: &str, path: &Path| {
        Command::new("chattr").arg(flag).arg(path).output().unwrap().status.success()
    };
    if !needs(
        chattr("+i", &root.path().join("tmp/d/fixed")),
        "a file system with immutable files in /tmp",
    ) {
        return;
    }
    let error = root.remove().unwrap_err();
    assert!(
        error.to_string().starts_with("unlink ") && error.to_string().contains("/fixed: "),
        "{error}"
    );
    let swept = sweep(&scratch.state, |_| true).unwrap();
    let text = swept.failed[0].1.to_string();
    let path = text.strip_prefix("unlink ").unwrap().split(": ").next().unwrap();
    assert!(chattr("-i", Path::new(path)), "{text}");
    assert_eq!(sweep(&scratch.state, |_| true).unwrap().removed.len(), 1);
    scratch.expect_empty();
}

#[test]
fn a_sweep_takes_what_is_dead_and_asks_about_the_rest() {
    let scratch = Scratch::new();
    let live = throwaway(&scratch, &closure("/bin/sh", &[]));
    scratch.state.try_lock("uid-1").unwrap().unwrap().abandon();
    scratch.state.try_lock("uid-2").unwrap().unwrap().abandon();
    scratch.state.try_lock("root-0000000000000001").unwrap().unwrap().abandon();
    for orphan in ["root-0000000000000001", "root-0000000000000002", "root-0000000000000003.gone"] {
        fs::create_dir_all(scratch.state.path().join(orphan).join("a/b")).unwrap();
    }
    symlink("/tmp", scratch.state.path().join("root-0000000000000004")).unwrap();
    let mut asked = Vec::new();
    let swept = sweep(&scratch.state, |lock| {
        asked.push(lock.name().to_owned());
        lock.name() == "uid-1"
    })
    .unwrap();
    asked.sort();
    assert_eq!(asked, ["uid-1", "uid-2"]);
    assert_eq!((swept.removed.len(), swept.kept.len(), swept.failed.len()), (5, 1, 0), "{swept:?}");
    assert!(scratch.state.has_lock("uid-2").unwrap());
    live.remove().unwrap();
    sweep(&scratch.state, |_| true).unwrap();
    scratch.expect_empty();
}

/// Not a test of its own: see `owners_and_modes_are_as_promised_whatever_the_umask`.
#[test]
fn helper() {
    if let Some(state) = std::env::var_os("ISOL_TEST_STATE") {
        owners_and_modes(&StateDir::open_at(state.as_ref()).unwrap());
    }
}
