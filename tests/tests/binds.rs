//! What is mounted in a root by `--bind` and `--tmpfs` makes no guarantee false.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use isol::{Bind, Isolation, Policy, Uid, User};
use isol_tests::{
    BUSYBOX, Run, TestRoot, copy_program, isol_with, must_have_namespaces, own_uid, run,
};

/// A user whose word does not count.
const SOMEBODY: u32 = 54_321;

/// A program in a root.
fn inside(root: &TestRoot, options: &[&str], words: &[&str]) -> Run {
    let mut command = isol_with(["run", "--backend", "namespaces", "--root", root.text()]);
    run(command.args(options).arg("--").args(words))
}

fn script(root: &TestRoot, options: &[&str], script: &str) -> Run {
    inside(root, options, &["/bin/sh", "-c", script])
}

/// A program in a throw-away root.
fn thrown_away(options: &[&str], words: &[&str]) -> Run {
    run(isol_with(["run", "--backend", "namespaces"]).args(options).arg("--").args(words))
}

/// A directory where only root can write, with a name that says where it is.
fn outside() -> TestRoot {
    TestRoot::new()
}

fn give(path: &Path, uid: u32) {
    lchown(path, Some(uid), None).expect("root can");
}

#[test]
fn a_program_that_is_bound_is_looked_at_as_one_in_the_root() {
    if !must_have_namespaces() {
        return;
    }
    let (root, host) = (TestRoot::new(), outside());
    let program = host.join("bin/busybox");
    let bind = format!("{}:/bin/busybox:ro", program.display());
    assert_eq!(script(&root, &["--bind", &bind], "echo here").succeeded(), "here\n");
    give(&program, SOMEBODY);
    let whole = format!("{}:/bin", host.join("bin").display());
    for bind in [&bind, &whole] {
        script(&root, &["--bind", bind], "echo here")
            .refused(125, &[&format!("program: {} is owned by somebody else", program.display())]);
    }
    give(&program, 0);
    fs::set_permissions(host.join("bin"), Permissions::from_mode(0o777)).expect("root can");
    script(&root, &["--bind", &whole], "echo here")
        .refused(125, &["/bin can be written to by its group or by others"]);
    // What nobody executes can be anybody's.
    let data = format!("{}:/etc", host.join("bin").display());
    assert_eq!(script(&root, &["--bind", &data], "echo here").succeeded(), "here\n");
}

/// A new root is put together on top of the old one, and neither is to be seen in what is bound.
#[test]
fn what_is_around_the_root_and_what_is_in_it_are_bound_as_they_are() {
    if !must_have_namespaces() {
        return;
    }
    let around = TestRoot::new();
    let root = around.join("roots/one");
    for dir in ["bin", "tmp", "proc", "dev", "etc"] {
        fs::create_dir_all(root.join(dir)).expect("root can");
    }
    copy_program(around.join("bin/busybox"), root.join("bin/busybox"));
    symlink("busybox", root.join("bin/sh")).expect("root can");
    fs::write(root.join("etc/mark"), "here").expect("root can");
    let root = root.to_str().expect("its name is ASCII");
    let read = |bind: &str, file: &str| {
        let mut command = isol_with(["run", "--backend", "namespaces", "--root", root, "--bind"]);
        let script = format!("read x <{file} || true; echo $x; echo /tmp/roots/one/*");
        run(command.args([bind, "--", "/bin/sh", "-c", &script])).succeeded().to_owned()
    };
    let listed = "/tmp/roots/one/bin /tmp/roots/one/dev /tmp/roots/one/etc /tmp/roots/one/proc /tmp/roots/one/tmp";
    let around = format!("{}:/tmp:ro", around.text());
    assert_eq!(read(&around, "/tmp/roots/one/etc/mark"), format!("here\n{listed}\n"));
    let none = "/tmp/roots/one/*";
    assert_eq!(read(&format!("{root}:/tmp:ro"), "/tmp/etc/mark"), format!("here\n{none}\n"));
    assert_eq!(read(&format!("{root}/etc:/tmp"), "/tmp/mark"), format!("here\n{none}\n"));
}

#[test]
fn what_decides_about_libraries_is_not_bound_from_somebody_else() {
    if !must_have_namespaces() {
        return;
    }
    let host = outside();
    let etc = host.join("etc");
    fs::write(etc.join("ld.so.preload"), "/tmp/evil.so\n").expect("it can be written");
    give(&etc, SOMEBODY);
    let bind = format!("{}:/etc", etc.display());
    thrown_away(&["--bind", &bind], &["/bin/cat", "/etc/passwd"])
        .refused(125, &[&format!("program: {} is owned by somebody else", etc.display())]);
    thrown_away(&["--tmpfs", "/etc"], &["/bin/cat", "/dev/null"])
        .refused(125, &["program: ", "/etc can be written to by its group or by others"]);
}

#[test]
fn the_host_s_processes_are_not_bound() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    let refusals = [
        ("/proc:/tmp:ro", "/proc is a proc file system"),
        ("/proc/version:/etc/hosts:ro", "is a proc file system"),
        ("/:/tmp:ro", "is a proc file system"),
        ("/dev/fd:/tmp:ro", "is a proc file system"),
    ];
    root.put("etc/hosts", "", 0o644);
    for (bind, why) in refusals {
        for allow in ["shared-uid", "host-pids"] {
            script(&root, &["--bind", bind, "--allow", allow], "cat /tmp/1/cmdline").refused(
                125,
                &[&format!("mount-sources: --bind {bind} would show"), why, "help: "],
            );
        }
    }
    let uid = own_uid();
    let mut command = isol_with(["run", "--backend", "namespaces", "--require", "pids-hidden"]);
    command.args(["--bind", "/:/mnt:ro", "--", BUSYBOX, "ls", "/mnt/proc/1"]);
    run(command.uid(uid).gid(uid).env_remove("XDG_RUNTIME_DIR").current_dir("/"))
        .refused(125, &["mount-sources: --bind /:/mnt:ro would show more than files"]);
}

/// Something that is mounted until this goes.
struct Mounted(PathBuf);

impl Mounted {
    fn new(kind: &str, on: &Path) -> Self {
        let on = on.to_owned();
        let status = Command::new("mount").args(["-t", kind, kind]).arg(&on).status();
        assert!(status.is_ok_and(|status| status.success()), "{kind} can't be mounted");
        Self(on)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_root_in_which_somebody_has_mounted_a_proc_shows_none_of_it() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    {
        let _proc = Mounted::new("proc", &root.join("etc"));
        let why = format!("mounts: {}/etc is a proc file system", root.text());
        script(&root, &[], "cat /etc/1/cmdline").refused(125, &[&why, "help: umount "]);
        let bind = format!("{}:/tmp", root.text());
        script(&TestRoot::new(), &["--bind", &bind], "cat /tmp/etc/1/cmdline")
            .refused(125, &["is a proc file system", "help: bind what is needed of it"]);
        // Nobody sees what is behind something else.
        assert_eq!(script(&root, &["--tmpfs", "/etc"], "ls /etc").succeeded(), "");
    }
    let _proc = Mounted::new("proc", &root.join("proc"));
    assert_eq!(script(&root, &[], "echo /proc/[0-9]*").succeeded(), "/proc/2\n");
}

#[test]
fn a_link_that_somebody_else_has_laid_leads_nowhere() {
    if !must_have_namespaces() {
        return;
    }
    let (root, host) = (TestRoot::new(), outside());
    host.put("secret/file", "secret\n", 0o644);
    let data = host.join("home/data");
    fs::create_dir(host.join("home")).expect("it is new");
    symlink(host.join("secret"), &data).expect("it is new");
    let bind = format!("{}:/etc", data.display());
    assert_eq!(script(&root, &["--bind", &bind], "cat /etc/file").succeeded(), "secret\n");
    let help = format!("--bind {}:/etc", host.join("secret").display());
    give(&data, SOMEBODY);
    let why = format!("{} is a symbolic link of uid {SOMEBODY}'s", data.display());
    script(&root, &["--bind", &bind], "cat /etc/file").refused(125, &[&why, &help]);
    give(&data, 0);
    give(&host.join("home"), SOMEBODY);
    let why = format!("{} is owned by somebody else", host.join("home").display());
    script(&root, &["--bind", &bind], "cat /etc/file").refused(125, &[&why, &help]);
    // Without a link there is nothing that somebody else could lead elsewhere.
    fs::remove_file(&data).expect("it is there");
    fs::rename(host.join("secret"), &data).expect("both are in one file system");
    assert_eq!(script(&root, &["--bind", &bind], "cat /etc/file").succeeded(), "secret\n");
}

#[test]
fn what_is_mounted_is_what_was_looked_at() {
    if !must_have_namespaces() {
        return;
    }
    let (root, host) = (TestRoot::new(), outside());
    for dir in ["data", "other"] {
        host.put(&format!("{dir}/file"), dir, 0o644);
    }
    let spawn = |change: &dyn Fn()| {
        let bind: Bind = format!("{}:/etc", host.join("data").display()).parse().expect("a bind");
        let policy = Policy::confine(root.path())
            .user(User::Id(Uid::new(own_uid()).expect("a uid")))
            .bind(bind)
            .build()
            .expect("a policy");
        let namespaces = isol::backend_by_name("namespaces").expect("it is built in");
        let isolation = Isolation::new(policy).backend(isol::Choice::Backend(namespaces));
        let command = isol::Command::new("/bin/test").args(["-e", "/etc/file"]);
        let ready = isolation.plan_spawn(command).and_then(isol::Planned::prepare);
        change();
        ready.and_then(isol::Ready::spawn).map(|mut running| running.wait().expect("it ends"))
    };
    let status = spawn(&|| ()).expect("nothing has changed");
    assert_eq!(status, isol::Status::Exited(0));
    let exchanged = spawn(&|| {
        fs::rename(host.join("data"), host.join("gone")).expect("it is there");
        fs::rename(host.join("other"), host.join("data")).expect("it is there");
    });
    let error = exchanged.expect_err("it is another directory").to_string();
    assert!(error.contains("what is to be mounted is not what was looked at"), "{error}");
    let linked = spawn(&|| {
        fs::rename(host.join("data"), host.join("other")).expect("it is there");
        symlink(host.join("other"), host.join("data")).expect("it is gone");
    });
    let error = linked.expect_err("it is a link").to_string();
    assert!(error.contains("what is to be mounted is not what was looked at"), "{error}");
}

#[test]
fn a_root_is_clean_only_with_what_is_bound() {
    if !must_have_namespaces() {
        return;
    }
    let (root, host) = (TestRoot::new(), outside());
    let file = host.put("data/tool", "", 0o4755);
    let binds = [
        format!("{}:/tmp:ro", host.join("data").display()),
        format!("{}:/etc/hosts:ro", file.display()),
    ];
    root.put("etc/hosts", "", 0o644);
    for bind in &binds {
        let options = ["--require", "root-clean", "--bind", bind];
        script(&root, &options, "true")
            .refused(125, &["root-clean: ", "set", "help: leave --bind"]);
        thrown_away(&options, &[BUSYBOX, "true"]).refused(125, &["root-clean: ", "help: leave "]);
        let said = thrown_away(&["-v", "--bind", bind], &[BUSYBOX, "true"]);
        assert!(said.err.contains("isol: given up: root-clean\n"), "{said:#?}");
    }
    chown(&file, Some(SOMEBODY), None).expect("root can");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("root can");
    let writable = format!("{}:/etc/hosts", file.display());
    script(&root, &["--require", "root-clean", "--bind", &writable], "true")
        .refused(125, &["can be written to inside, and is a file of the host's"]);
    for bind in &binds {
        script(&root, &["--require", "root-clean", "--bind", bind], "true").succeeded();
    }
}

#[test]
fn mounts_in_mounts_are_there_whatever_comes_first() {
    if !must_have_namespaces() {
        return;
    }
    let (root, host) = (TestRoot::new(), outside());
    host.put("data/file", "text", 0o644);
    host.put("data/in/x", "x", 0o644);
    let file = format!("{}:/etc/me/deep/file:ro", host.join("data/file").display());
    let directory = format!("{}:/etc/me/data:ro", host.join("data").display());
    let words = "cat /etc/me/deep/file; ls /etc /etc/me /etc/me/data; stat -c %a /etc/me";
    let expected = "text/etc:\nme\n\n/etc/me:\ndata\ndeep\n\n/etc/me/data:\nfile\nin\n755\n";
    for options in [
        ["--tmpfs", "/etc", "--bind", &file, "--bind", &directory],
        ["--bind", &directory, "--bind", &file, "--tmpfs", "/etc"],
    ] {
        assert_eq!(script(&root, &options, words).succeeded(), expected);
    }
    let bound = format!("{}:/etc", host.join("data").display());
    let options = ["--tmpfs", "/etc/in", "--bind", &bound];
    assert_eq!(script(&root, &options, "cat /etc/file; ls /etc/in").succeeded(), "text");
    script(&root, &["--tmpfs", "/etc/none", "--bind", &bound], "true").refused(
        125,
        &["nothing can be mounted on /etc/none", &format!("mkdir -p {}/data/none", host.text())],
    );
    assert!(!host.join("data/none").exists());
    thrown_away(
        &["--tmpfs", "/home", "--bind", &bound.replace(":/etc", ":/home/me")],
        &[BUSYBOX, "cat", "/home/me/file"],
    )
    .succeeded();
    let both = ["--tmpfs", "/etc", "--bind", &bound];
    script(&root, &both, "true").refused(125, &["have one place: one would hide the other"]);
    for place in ["/proc", "/dev/shm", "/proc/x"] {
        script(&root, &["--tmpfs", place], "true")
            .refused(125, &["is what isol makes it", "help: "]);
    }
}

#[test]
fn a_program_that_a_mount_hides_is_said_to_be_hidden() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    script(&root, &["--tmpfs", "/bin"], "true")
        .refused(127, &["/bin/sh is not in the root", "the root has it, behind --tmpfs /bin"]);
    // The libraries of a program that is dynamic.
    let library = isol_root_library();
    let hidden = format!("{}:{}:ro", root.join("etc").display(), library.display());
    thrown_away(&["--bind", &hidden], &["/bin/cat", "/dev/null"])
        .refused(127, &["the root has it, behind --bind "]);
}

/// The directory of the C library, on the host and so in a throw-away root.
fn isol_root_library() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").expect("there is a /proc");
    let libc = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    let libc = libc.map(Path::new).find(|path| path.to_string_lossy().contains("libc.so"));
    libc.and_then(Path::parent).expect("the tests have a C library").to_owned()
}

#[test]
fn a_root_can_consist_of_what_is_bound() {
    if !must_have_namespaces() {
        return;
    }
    let root = TestRoot::new();
    fs::remove_dir_all(root.join("bin")).expect("it is there");
    fs::create_dir(root.join("bin")).expect("it is gone");
    let (host, bind) = (outside(), |dir: &str| format!("{dir}:/bin:ro"));
    let bind = bind(host.join("bin").to_str().expect("it is ASCII"));
    assert_eq!(script(&root, &["--bind", &bind], "echo here").succeeded(), "here\n");
}
