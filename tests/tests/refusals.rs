//! Bad input: each line of the table of refusals, read as the user reads it.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use isol::host::HOST;
use isol::{Isolation, Policy, Uid, User};
use isol_tests::{
    BUSYBOX, TestRoot, copy_program, isol, isol_path, must_be_root, must_have, own_uid, run,
};

/// `isol run --root ROOT --user UID OPTIONS -- PROGRAM`
fn in_root(root: &Path, uid: u32, options: &[&str], program: &[&str]) -> Command {
    let mut command = isol();
    command.args(["run", "--root"]).arg(root).args(["--user", &uid.to_string()]);
    command.args(options).arg("--").args(program);
    command
}

/// The same with `/bin/true` and a uid of the test's own.
fn with(root: &TestRoot, options: &[&str]) -> Command {
    in_root(root.path(), own_uid(), options, &["/bin/true"])
}

/// A shell that runs `script`, in which `"$@"` is the command.
fn shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
    shell
}

/// The same, with mounts of its own.
fn unshared(script: &str, command: &Command) -> Command {
    let mut unshare = Command::new("unshare");
    let shell = shell(script, command);
    unshare.arg("--mount").arg(shell.get_program()).args(shell.get_args());
    unshare
}

fn directory(path: &Path, mode: u32) {
    fs::create_dir(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A directory of the host's that root owns and nobody else can write to, and the
/// directory `inner` in it.
fn two_levels() -> (TestRoot, PathBuf, PathBuf) {
    let root = TestRoot::new();
    let (outer, inner) = (root.join("outer"), root.join("outer/inner"));
    directory(&outer, 0o755);
    directory(&inner, 0o755);
    (root, outer, inner)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn root_is_refused(root: &Path, texts: &[&str]) {
    let refused = run(&mut in_root(root, own_uid(), &[], &["/bin/true"]));
    refused.refused(125, texts).refused(125, &["isol: root-directory: "]);
}

// The root.

#[test]
fn a_root_that_does_not_exist_is_named() {
    if must_be_root() {
        let (_root, _, inner) = two_levels();
        let missing = inner.join("missing");
        root_is_refused(&missing, &[&format!("{} does not exist", missing.display())]);
        // The component that is missing, and not the whole path.
        let text = format!("{} does not exist", missing.display());
        root_is_refused(&missing.join("deep/down"), &[&text]);
    }
}

#[test]
fn a_root_that_is_a_file_is_refused() {
    if must_be_root() {
        let root = TestRoot::new();
        let file = root.put("file", "", 0o644);
        root_is_refused(&file, &[&format!("{} is not a directory", file.display())]);
        root_is_refused(&file.join("inner"), &[&format!("{} is not a directory", file.display())]);
    }
}

#[test]
fn a_root_that_is_a_symlink_or_behind_one_is_refused() {
    if must_be_root() {
        let (root, outer, _) = two_levels();
        let link = root.join("link");
        symlink(&outer, &link).unwrap();
        let text = format!("{} is a symbolic link", link.display());
        root_is_refused(&link, &[&text]);
        root_is_refused(&link.join("inner"), &[&text]);
        root_is_refused(Path::new(&format!("{}/", link.display())), &[&text]);
    }
}

#[test]
fn a_root_of_somebody_else_s_is_refused() {
    if must_be_root() {
        let (_root, outer, inner) = two_levels();
        chown(&inner, Some(12345), Some(23456)).unwrap();
        root_is_refused(
            &inner,
            &[
                &format!("{} is owned by somebody else", inner.display()),
                "owner 12345, group 23456, mode 0755",
                &format!("\nhelp: chown 0 {}\n", inner.display()),
            ],
        );
        chown(&inner, Some(0), Some(0)).unwrap();
        chown(&outer, Some(12345), None).unwrap();
        root_is_refused(&inner, &[&format!("\nhelp: chown 0 {}\n", outer.display())]);
    }
}

#[test]
fn a_root_that_others_can_write_to_is_refused() {
    if must_be_root() {
        let (_root, _, inner) = two_levels();
        for mode in [0o775, 0o757, 0o777, 0o1777, 0o2775] {
            fs::set_permissions(&inner, Permissions::from_mode(mode)).unwrap();
            root_is_refused(
                &inner,
                &[
                    &format!("{} can be written to by its group or by others", inner.display()),
                    &format!("owner 0, group 0, mode {mode:04o}"),
                    &format!("\nhelp: chmod go-w {}\n", inner.display()),
                ],
            );
        }
    }
}

#[test]
fn a_component_above_the_root_that_others_can_write_to_is_refused() {
    if must_be_root() {
        let (_root, outer, inner) = two_levels();
        fs::set_permissions(&outer, Permissions::from_mode(0o775)).unwrap();
        root_is_refused(
            &inner,
            &[
                &format!("{} can be written to by its group or by others", outer.display()),
                "mode 0775",
                &format!("\nhelp: chmod go-w {}\n", outer.display()),
            ],
        );
    }
}

#[test]
fn nobody_is_told_to_shut_tmp() {
    if must_be_root() {
        let root = Path::new("/tmp").join(format!("isol-test-{}", std::process::id()));
        directory(&root, 0o755);
        let refused = run(&mut in_root(&root, own_uid(), &[], &["/bin/true"]));
        fs::remove_dir(&root).unwrap();
        refused.refused(125, &["/tmp can be written to", "mode 1777", "\nhelp: "]);
        assert!(!refused.err.contains("chmod"), "{refused:#?}");
    }
}

#[test]
fn what_the_help_says_mends_the_root() {
    if must_be_root() {
        let root = TestRoot::new();
        chown(root.path(), Some(12345), None).unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o777)).unwrap();
        let refused = run(&mut with(&root, &[]));
        let help = refused.err.lines().find_map(|l| l.strip_prefix("help: ")).unwrap();
        assert_eq!(run(Command::new("sh").args(["-c", help])).status, Some(0), "{refused:#?}");
        run(&mut with(&root, &[])).succeeded();
    }
}

#[test]
fn a_root_that_isolates_from_nothing_is_refused() {
    for slash in ["/", "//", "/./"] {
        let refused = run(isol().args(["run", "--user", "70000", "--root", slash, "--", "/x"]));
        refused.refused(125, &["the root is /", "\nhelp: "]);
    }
    for (root, why) in [("srv", "srv is not an absolute path"), ("/srv/../srv", "`..`"), ("", "")] {
        let refused = run(isol().args(["run", "--user", "70000", "--root", root, "--", "/x"]));
        refused.refused(125, &[why]);
    }
}

#[test]
fn names_in_messages_are_harmless_in_a_terminal_and_a_shell() {
    if must_be_root() {
        let root = TestRoot::new();
        let odd = root.join("a b\x1b[31m$(id)");
        directory(&odd, 0o777);
        let refused = run(&mut in_root(&odd, own_uid(), &[], &["/bin/true"]));
        refused.refused(125, &["\nhelp: chmod go-w "]);
        assert!(!refused.err.contains('\x1b'), "{refused:#?}");
        let help = refused.err.lines().find_map(|l| l.strip_prefix("help: ")).unwrap();
        // The `$'…'` that a name with control characters takes is bash's.
        if must_have(&["bash"]) {
            assert_eq!(run(Command::new("bash").args(["-c", help])).status, Some(0), "{help}");
            assert_eq!(fs::metadata(&odd).unwrap().permissions().mode() & 0o7777, 0o755);
        }
    }
}

// Who.

#[test]
fn uid_0_is_refused() {
    for user in ["0", "root", "0:70000"] {
        let refused = run(isol().args(["run", "--root", "/srv/x", "--user", user, "--", "/x"]));
        refused.refused(125, &["uid 0 would run inside", "\nhelp: name a user"]);
    }
}

#[test]
fn uid_0_is_refused_by_chroot_even_where_it_is_allowed() {
    for user in ["0", "root", "0:70000"] {
        let options = ["--backend", "chroot", "--allow", "root-user", "--user", user];
        let refused =
            run(isol().args(["run", "--root", "/srv/x"]).args(options).args(["--", "/x"]));
        refused.refused(125, &["chroot", "root walks out of a chroot"]);
        let refused = run(isol()
            .args(["run", "--root", "/srv/x", "--allow", "root-group"])
            .args(options)
            .args(["--", "/x"]));
        refused.refused(125, &["chroot", "root walks out of a chroot"]);
    }
}

#[test]
fn gid_0_is_refused_without_leave() {
    for options in [["--user", "70000:0", "--groups", ""], ["--user", "70000", "--groups", "0"]] {
        let refused =
            run(isol().args(["plan", "--root", "/srv/x"]).args(options).args(["--", "/x"]));
        refused.refused(125, &["gid 0 would run inside", "--allow root-group"]);
    }
}

#[test]
fn unknown_names_are_refused_with_the_nearest_one() {
    let cases: [(&[&str], &[&str]); 11] = [
        (&["--user", "nobodi"], &["no user is called `nobodi`", "did you mean `--user nobody`?"]),
        (&["--user", "xyzzyxyzzyq"], &["no user is called `xyzzyxyzzyq`", "\nhelp: "]),
        (&["--groups", "daemo"], &["group is called `daemo`", "did you mean", "daemon`?"]),
        (&["--user", "70000:daemo"], &["group is called `daemo`", "did you mean", "daemon`?"]),
        (&["--limit", "nofiles=3"], &["`nofiles`", "did you mean `nofile`?"]),
        (&["--require", "pid-hidden"], &["`pid-hidden`", "did you mean `pids-hidden`?"]),
        (&["--require", "root-clean,pid-hidden"], &["`pid-hidden`", "`pids-hidden`"]),
        (&["--allow", "shard-uid"], &["`shard-uid`", "did you mean `shared-uid`?"]),
        (&["--backend", "chrot"], &["no backend is called `chrot`", "did you mean `chroot`?"]),
        (&["--requre", "pids-hidden"], &["--requre", "did you mean `--require`?"]),
        (&["--rooot=/srv/x"], &["--rooot", "did you mean `--root`?"]),
    ];
    for command in ["run", "plan"] {
        for (options, texts) in cases {
            let mut isol = isol();
            isol.args([command, "--root", "/srv/x"]).args(options);
            if !options.contains(&"--user") {
                isol.args(["--user", "70000"]);
            }
            run(isol.args(["--", "/bin/true"])).refused(125, texts);
        }
    }
}

#[test]
fn help_for_an_unknown_primary_group_is_not_about_the_others() {
    let arguments = ["plan", "--root", "/srv/x", "--user", "70000:daemo", "--", "/x"];
    let refused = run(isol().args(arguments));
    refused.refused(125, &["daemon`?"]);
    assert!(!refused.err.contains("--groups"), "{refused:#?}");
}

#[test]
fn wrong_usage_is_refused_with_125() {
    let root = ["--root", "/srv/x", "--user", "70000"];
    let cases: [(&[&str], &[&str]); 14] = [
        (&[], &["command", "--help"]),
        (&["run"], &["PROGRAM"]),
        (&["runn"], &["unrecognized subcommand 'runn'", "did you mean `run`?"]),
        (&["run", "--user"], &["--user", "a value is required"]),
        (&["run", "--user", "1", "--user", "2", "--", "/x"], &["--user", "multiple times"]),
        (&["run", "--timeout", "0", "--", "/x"], &["--timeout", "seconds"]),
        (&["run", "--timeout", "soon", "--", "/x"], &["--timeout", "seconds"]),
        (&["run", "--umask", "9", "--", "/x"], &["`9`", "umask"]),
        (&["run", "--umask", "1000", "--", "/x"], &["umask 1000"]),
        (&["run", "--pass-fd", "x", "--", "/x"], &["--pass-fd", "'x'"]),
        (&["run", "--limit", "nofile", "--", "/x"], &["`nofile`", "NAME=SOFT[:HARD]"]),
        (&["run", "--limit", "nofile=9:8", "--", "/x"], &["soft limit 9", "hard limit 8"]),
        (&["run", "--workdir", "tmp", "--", "/x"], &["tmp is not an absolute path"]),
        (&["backends", "extra"], &["extra"]),
    ];
    for (arguments, texts) in cases {
        let mut isol = isol();
        if arguments.len() > 2 && !arguments.contains(&"--user") {
            isol.arg(arguments[0]).args(root).args(&arguments[1..]);
        } else {
            isol.args(arguments);
        }
        let refused = run(&mut isol);
        refused.refused(125, &["isol: "]).refused(125, texts);
        assert!(!refused.err.contains("chroot(2), jail(2) and namespaces"), "{refused:#?}");
    }
}

#[test]
fn a_program_without_a_name_is_refused() {
    for command in ["run", "plan"] {
        let arguments = [command, "--root", "/srv/x", "--user", "70000", "--", ""];
        run(isol().args(arguments)).refused(125, &["the program has no name", "\nhelp: "]);
        let arguments = [command, "--root", "/srv/x", "--user", "70000", "--"];
        run(isol().args(arguments)).refused(125, &["PROGRAM"]);
    }
}

#[test]
fn ids_go_up_to_the_kernel_s_last() {
    for id in ["4294967295", "70000:4294967295"] {
        let refused = run(isol().args(["plan", "--root", "/srv/x", "--user", id, "--", "/x"]));
        refused.refused(125, &["4294967295", "no change"]);
    }
    let arguments = ["plan", "--root", "/srv/x", "--user", "70000", "--groups", "4294967295"];
    run(isol().args(arguments).args(["--", "/x"])).refused(125, &["4294967295", "no change"]);
    for id in ["4294967296", "99999999999999999999999"] {
        let refused = run(isol().args(["plan", "--root", "/srv/x", "--user", id, "--", "/x"]));
        refused.refused(125, &[id, "the largest is 4294967294"]);
    }
    if must_be_root() {
        let root = TestRoot::new();
        for uid in [3_000_000_000, 4_294_967_294] {
            let command = &mut in_root(root.path(), uid, &[], &["/bin/sh", "-c", "id -u; id -g"]);
            assert_eq!(run(command).succeeded(), format!("{uid}\n{uid}\n"));
        }
    }
}

#[test]
fn more_groups_than_the_kernel_takes_are_refused_with_their_number() {
    let max = u32::try_from(HOST.groups_max()).unwrap();
    let groups = |count: u32| {
        let all: Vec<_> = (100_000..100_000 + count).map(|gid| gid.to_string()).collect();
        all.chunks(10_000).map(|some| format!("--groups={}", some.join(","))).collect::<Vec<_>>()
    };
    let plan = |count| {
        let arguments = ["plan", "--root", "/srv/x", "--user", "70000"];
        run(isol().args(arguments).args(groups(count)).args(["--", "/x"]))
    };
    plan(max + 1).refused(125, &[&format!("{} supplementary", max + 1), &format!(" {max} ")]);
    assert_eq!(plan(max).status, Some(0));
}

/// A process under a uid, that ends with this value.
struct Outsider(Child);

impl Outsider {
    fn under(uid: u32) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &uid.to_string(), "--clear-groups"]);
        command.args(["sh", "-c", "echo up; exec sleep 1000"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut outsider = Self(child);
        let mut line = String::new();
        let out = outsider.0.stdout.as_mut().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n");
        outsider
    }
}

impl Drop for Outsider {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_uid_that_runs_outside_is_refused_with_its_processes() {
    if must_be_root() && must_have(&["setpriv"]) {
        let root = TestRoot::new();
        let uid = own_uid();
        let outsiders = [Outsider::under(uid), Outsider::under(uid)];
        let pids = outsiders.each_ref().map(|o| o.0.id().to_string());
        let program = ["/bin/id", "-u"];
        let refused = run(&mut in_root(root.path(), uid, &[], &program));
        refused.refused(
            125,
            &[&format!("uid {uid} already runs outside"), &pids[0], &pids[1], "--allow shared-uid"],
        );
        let shared = run(&mut in_root(root.path(), uid, &["--allow", "shared-uid"], &program));
        assert_eq!(shared.succeeded(), format!("{uid}\n"));
        drop(outsiders);
        let alone = run(&mut in_root(root.path(), uid, &[], &program));
        assert_eq!(alone.succeeded(), format!("{uid}\n"));
    }
}

// The program.

#[test]
fn a_program_that_is_not_in_the_root_is_not_found() {
    if must_be_root() {
        let root = TestRoot::new();
        for name in ["/bin/missing", "/missing/program", "missing"] {
            let missing = run(&mut in_root(root.path(), own_uid(), &[], &[name]));
            let help = format!("\nhelp: isol root add {}", root.text());
            missing.refused(127, &[name, "not in the root", &help]);
        }
    }
}

#[test]
fn a_missing_loader_or_library_is_named() {
    if must_be_root() && must_have(&["setpriv"]) {
        let root = TestRoot::new();
        copy_program("/usr/bin/setpriv", root.join("bin/dynamic"));
        let start = || run(&mut in_root(root.path(), own_uid(), &[], &["/bin/dynamic"]));
        let missing = start();
        missing.refused(127, &["the loader of /bin/dynamic", "isol root add"]);
        let words = missing.err.strip_prefix("isol: program: ").unwrap();
        let loader = words.split(',').next().unwrap();
        root.put(&loader[1..], fs::read(loader).unwrap(), 0o755);
        start().refused(127, &["libc.so", "/bin/dynamic", "isol root add"]);
    }
}

#[test]
fn a_missing_interpreter_is_named() {
    if must_be_root() {
        let root = TestRoot::new();
        root.put("bin/direct", "#!/usr/bin/interpreter -x\n", 0o755);
        root.put("bin/by-env", "#!/bin/env interpreter\n", 0o755);
        let start = |program| run(&mut in_root(root.path(), own_uid(), &[], &[program]));
        start("/bin/direct").refused(
            127,
            &["/usr/bin/interpreter, the interpreter of the script /bin/direct", "isol root add"],
        );
        start("/bin/by-env")
            .refused(127, &["interpreter, the interpreter of the script /bin/by-env"]);
    }
}

#[test]
fn what_can_t_be_executed_is_refused_with_126() {
    if must_be_root() {
        let root = TestRoot::new();
        root.put("bin/data", "#!/bin/sh\n", 0o644);
        root.put("bin/garbage", "neither this nor that\n", 0o755);
        let start = |program| run(&mut in_root(root.path(), own_uid(), &[], &[program]));
        start("/bin/data").refused(126, &["/bin/data", "not executable", "0644"]);
        start("/bin/garbage").refused(126, &["/bin/garbage", "#!"]);
        start("/tmp").refused(126, &["/tmp is a directory"]);
        root.put("bin/roots", fs::read(BUSYBOX).unwrap(), 0o700);
        start("/bin/roots").refused(126, &["/bin/roots", "owner 0", "mode 0700"]);
    }
}

#[test]
fn a_program_that_others_can_write_to_is_refused() {
    if must_be_root() {
        let root = TestRoot::new();
        let program = root.join("bin/busybox");
        fs::set_permissions(&program, Permissions::from_mode(0o775)).unwrap();
        let help = format!("\nhelp: chmod go-w {}\n", program.display());
        run(&mut with(&root, &[])).refused(125, &[text(&program), "mode 0775", &help]);
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(root.join("bin"), Permissions::from_mode(0o777)).unwrap();
        let help = format!("\nhelp: chmod go-w {}\n", root.join("bin").display());
        run(&mut with(&root, &[])).refused(125, &["mode 0777", &help]);
    }
}

#[test]
fn a_symlink_out_of_the_root_resolves_inside() {
    if must_be_root() {
        let root = TestRoot::new();
        // Both of these name a file of the host's.
        symlink("/usr/bin/setpriv", root.join("bin/absolute")).unwrap();
        symlink("../../../../../../usr/bin/setpriv", root.join("bin/upwards")).unwrap();
        let start = |program| run(&mut in_root(root.path(), own_uid(), &[], &[program]));
        for link in ["/bin/absolute", "/bin/upwards"] {
            start(link).refused(127, &["not in the root"]);
        }
        root.put("usr/bin/setpriv", "#!/bin/sh\necho inside\n", 0o755);
        for link in ["/bin/absolute", "/bin/upwards", "/../../bin/absolute"] {
            assert_eq!(start(link).succeeded(), "inside\n");
        }
    }
}

#[test]
fn a_nul_byte_in_an_argument_is_refused() {
    if must_be_root() {
        let root = TestRoot::new();
        for (program, argument) in [("/bin/echo", "a\0b"), ("/bin/ec\0ho", "a")] {
            let uid = Uid::new(own_uid()).unwrap();
            let policy = Policy::confine(root.path()).user(User::Id(uid)).build().unwrap();
            let command = isol::Command::new(program).arg(argument);
            let error = Isolation::new(policy).spawn(command).map(drop).unwrap_err();
            let text = error.problem().to_string();
            assert!(text.contains("NUL") || text.contains(r"/bin/ec\000ho"), "{text}");
        }
    }
}

// What the host lacks.

#[test]
fn without_root_a_run_is_refused() {
    if must_be_root() && must_have(&["setpriv"]) {
        let root = TestRoot::new();
        let copy = root.join("isol");
        copy_program(isol_path(), &copy);
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy);
        let as_another = ["--root", root.text(), "--user", "70000"];
        let on_chroot = ["--backend", "chroot", "--root", root.text()];
        for root in [&as_another[..], &on_chroot, &on_chroot[..2]] {
            let mut command = shell("exec \"$@\"", &command);
            run(command.arg("run").args(root).args(["--", "/bin/true"]))
                .refused(125, &["chroot can't be run here", "need root", "\nhelp: "]);
        }
    }
}

#[test]
fn a_guarantee_that_can_t_be_held_is_refused_with_the_reason() {
    let strong = [
        ("pids-hidden", "processes are the host's"),
        ("network-confined", "network"),
        ("root-harmless", "chroot"),
    ];
    for (guarantee, reason) in strong {
        let arguments = ["--root", "/srv/x", "--user", "70000", "--require", guarantee, "--", "/x"];
        for command in ["run", "plan"] {
            run(isol().args([command, "--backend", "chroot"]).args(arguments))
                .refused(125, &["chroot", guarantee, reason, "isol backends"]);
        }
        let here = isol::backend_by_name("namespaces").is_some_and(|b| b.available().is_ok());
        if here && nix::unistd::geteuid().is_root() {
            // Another one holds it.
            let plan = run(isol().arg("plan").args(arguments));
            assert!(plan.succeeded().starts_with("backend     namespaces (Linux)"), "{plan:#?}");
        }
    }
}

#[test]
fn a_guarantee_can_t_be_required_and_given_up() {
    let arguments = ["--require", "uid-dedicated", "--allow", "shared-uid", "--", "/x"];
    run(isol().args(["plan", "--root", "/srv/x", "--user", "70000"]).args(arguments))
        .refused(125, &["uid-dedicated", "--allow shared-uid"]);
}

const FILL: &str = "mkdir $ROOT/bin && cp /bin/busybox $ROOT/bin/ && \
                    ln -s busybox $ROOT/bin/true && exec \"$@\"";

/// isol on a root that is a file system of its own, mounted with these options.
fn on_a_mount(options: &str) -> isol_tests::Run {
    let root = TestRoot::new();
    let mount = root.join("mount");
    directory(&mount, 0o755);
    let script = format!("mount -t tmpfs -o mode=755,{options} none $ROOT && {FILL}");
    let command = in_root(&mount, own_uid(), &[], &["/bin/true"]);
    run(unshared(&script, &command).env("ROOT", &mount))
}

#[test]
fn a_root_that_is_mounted_noexec_is_refused_with_126() {
    if must_be_root() && must_have(&["unshare", "mount"]) {
        on_a_mount("noexec").refused(126, &["noexec", "mount", "\nhelp: mount -o remount,exec"]);
    }
}

#[test]
fn a_root_that_is_mounted_nosuid_serves() {
    if must_be_root() && must_have(&["unshare", "mount"]) {
        on_a_mount("nosuid,nodev").succeeded();
    }
}

#[test]
fn without_a_list_of_processes_a_run_is_refused() {
    if must_be_root() && must_have(&["unshare", "mount"]) {
        let root = TestRoot::new();
        let uid = own_uid();
        let texts = [&*format!("uid {uid}"), "mount -t proc proc /proc", "--allow shared-uid"];
        let hide = "mount -t tmpfs -o $OPTIONS none /proc && exec \"$@\"";
        // Empty, and unreadable even for root: not a directory's mode, but no proc at all.
        for options in ["mode=755", "mode=000"] {
            let command = in_root(root.path(), uid, &[], &["/bin/true"]);
            run(unshared(hide, &command).env("OPTIONS", options)).refused(125, &texts);
            let command = in_root(root.path(), uid, &["--allow", "shared-uid"], &["/bin/id", "-u"]);
            let shared = run(unshared(hide, &command).env("OPTIONS", options));
            assert_eq!(shared.succeeded(), format!("{uid}\n"));
        }
        let mut auto = isol();
        auto.args(["run", "--root", root.text(), "--", "/bin/true"]);
        run(unshared(hide, &auto).env("OPTIONS", "mode=755"))
            .refused(125, &["mount -t proc proc /proc"]);
    }
}

// The surroundings.

#[test]
fn closed_standard_descriptors_are_opened_on_nothing() {
    if must_be_root() {
        let root = TestRoot::new();
        let program =
            ["/bin/sh", "-c", "echo x || exit 1; echo y >&2 || exit 2; read z && exit 3; exit 7"];
        for closed in [">&-", "2>&-", "<&-", ">&- 2>&-", ">&- 2>&- <&-"] {
            let command = in_root(root.path(), own_uid(), &[], &program);
            let closed = run(&mut shell(&format!("exec \"$@\" {closed}"), &command));
            assert_eq!(closed.status, Some(7), "{closed:#?}");
        }
    }
}

#[test]
fn a_refusal_with_closed_standard_descriptors_has_its_status() {
    let command = shell("exec \"$@\" >&- 2>&- <&-", isol().args(["plan", "--nonsense"]));
    let mut command = command;
    assert_eq!(run(&mut command).status, Some(125));
}

#[test]
fn a_full_standard_output_is_an_error() {
    let mut plan = isol();
    plan.args(["plan", "--root", "/srv/x", "--user", "70000", "--", "/x"]);
    let mut backends = isol();
    backends.arg("backends");
    let mut json = isol();
    json.args(["backends", "--json"]);
    let mut help = isol();
    help.arg("--help");
    for command in [&plan, &backends, &json] {
        run(&mut shell("exec \"$@\" >/dev/full", command))
            .refused(125, &["can't write to standard output", "No space left"]);
    }
    assert_eq!(run(&mut shell("exec \"$@\" >/dev/full", &help)).status, Some(125));
}

#[test]
fn an_environment_of_a_mebibyte_passes() {
    if must_be_root() {
        let root = TestRoot::new();
        // The kernel takes 128 KiB of one string.
        let variables: Vec<_> =
            (0..16).map(|n| format!("V{n:02}={}", "x".repeat((1 << 16) - 5))).collect();
        let options: Vec<_> = variables.iter().flat_map(|v| ["--env", v]).collect();
        let got = run(&mut in_root(root.path(), own_uid(), &options, &["/bin/env"]));
        assert_eq!(got.succeeded().len(), 1 << 20);
        assert!(got.out.lines().eq(variables.iter()), "other variables");
        // From the caller's environment, too.
        let names: Vec<_> = (0..16).map(|n| format!("V{n:02}")).collect();
        let options: Vec<_> = names.iter().flat_map(|n| ["--keep-env", n]).collect();
        let mut command = in_root(root.path(), own_uid(), &options, &["/bin/env"]);
        command.envs(variables.iter().map(|v| v.split_once('=').unwrap()));
        assert_eq!(run(&mut command).succeeded().len(), 1 << 20);
    }
}

#[test]
fn variables_that_are_none_or_the_loader_s_are_refused() {
    let plan = |options: &[&str]| {
        let arguments = ["plan", "--root", "/srv/x", "--user", "70000"];
        run(isol().args(arguments).args(options).args(["--", "/x"]))
    };
    plan(&["--env", "NAME"]).refused(125, &["--env NAME", "`=`", "--keep-env NAME"]);
    plan(&["--env", "=value"]).refused(125, &["environment variable"]);
    plan(&["--keep-env", "A=B"]).refused(125, &["A=B", "environment variable"]);
    for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "MALLOC_CONF"] {
        for option in [["--env", &format!("{name}=x")], ["--keep-env", name]] {
            plan(&option).refused(125, &[name, "--allow loader-environment"]);
            let mut allowed = option.to_vec();
            allowed.extend(["--allow", "loader-environment"]);
            assert_eq!(plan(&allowed).status, Some(0));
        }
    }
}

#[test]
fn paths_can_t_be_added_to_a_named_root() {
    let arguments = ["--root", "/srv/x", "--user", "70000", "--add", "/etc/hosts", "--", "/x"];
    for command in ["run", "plan"] {
        run(isol().arg(command).args(arguments))
            .refused(125, &["throw-away root", "a root is named", "\nhelp: "]);
    }
}

#[test]
fn descriptors_that_can_t_be_passed_are_refused() {
    for fd in ["0", "1", "2", "-1"] {
        let option = format!("--pass-fd={fd}");
        let arguments = ["plan", "--root", "/srv/x", "--user", "70000", &option, "--", "/x"];
        run(isol().args(arguments)).refused(125, &[&format!("descriptor {fd} ")]);
    }
    if must_be_root() {
        let root = TestRoot::new();
        run(&mut with(&root, &["--pass-fd", "57"]))
            .refused(125, &["descriptor 57 ", "not open", "57<FILE"]);
        // What the program or its library opens for itself must not pass for the caller's.
        for fd in ["3", "4", "5", "6", "7", "8"] {
            let option = ["--pass-fd", fd];
            run(&mut with(&root, &option)).refused(125, &[&format!("descriptor {fd} ")]);
            let script = format!("exec \"$@\" {fd}</etc");
            run(&mut shell(&script, &with(&root, &option))).refused(
                125,
                &[&format!("descriptor {fd} is a directory"), &format!("--pass-fd {fd}")],
            );
        }
        run(&mut shell("exec \"$@\" </etc", &with(&root, &[])))
            .refused(125, &["descriptor 0 is a directory", "0</dev/null"]);
    }
}

// As JSON.

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let cases: [(&[&str], i32, &str, &str); 7] = [
        (&["run", "--json"], 125, "usage", "PROGRAM"),
        (
            &["plan", "--json", "--user", "nobodi", "--root", "/srv/x", "--", "/x"],
            125,
            "identity",
            "nobodi",
        ),
        (&["plan", "--json", "--root", "/", "--user", "70000", "--", "/x"], 125, "policy", "/"),
        (&["plan", "--json", "--limit", "nofiles=3", "--", "/x"], 125, "usage", "nofiles"),
        (
            &["plan", "--json", "--backend", "chroot", "--require", "pids-hidden", "--", "/x"],
            125,
            "plan",
            "pids-hidden",
        ),
        (
            &["plan", "--json", "--profile", "/nonexistent", "--", "/x"],
            125,
            "profile",
            "/nonexistent",
        ),
        (&["backends", "--json", "--nonsense"], 125, "usage", "--nonsense"),
    ];
    for (arguments, status, step, what) in cases {
        let refused = run(isol().args(arguments));
        check_json(&refused, status, step, what);
    }
    let full = run(&mut shell("exec \"$@\" >/dev/full", isol().args(["backends", "--json"])));
    assert_eq!(check_json(&full, 125, "output", "standard output")["errno"], 28);
    if must_be_root() {
        let root = TestRoot::new();
        let missing = run(&mut in_root(root.path(), own_uid(), &["--json"], &["/bin/missing"]));
        let error = check_json(&missing, 127, "program", "/bin/missing");
        assert!(error["help"].as_str().unwrap().starts_with("isol root add "), "{error}");
        fs::set_permissions(root.path(), Permissions::from_mode(0o777)).unwrap();
        let refused = run(&mut with(&root, &["--json"]));
        let error = check_json(&refused, 125, "root-directory", "mode 0777");
        assert_eq!(error["help"], format!("chmod go-w {}", root.text()));
    }
}

#[track_caller]
fn check_json(run: &isol_tests::Run, status: i32, step: &str, what: &str) -> serde_json::Value {
    assert_eq!((run.status, run.out.as_str()), (Some(status), ""), "{run:#?}");
    let mut whole: serde_json::Value =
        serde_json::from_str(&run.err).unwrap_or_else(|error| panic!("{error}: {run:#?}"));
    assert_eq!(whole.as_object().unwrap().len(), 1, "{whole}");
    let error = whole["error"].take();
    let keys: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["errno", "help", "step", "what", "why"]);
    assert_eq!(error["step"], step, "{error}");
    assert!(error["what"].as_str().unwrap().contains(what), "{error}");
    assert!(error["why"].is_string(), "{error}");
    for optional in [&error["errno"], &error["help"]] {
        assert!(optional.is_null() || optional.is_number() || optional.is_string(), "{error}");
    }
    error
}
