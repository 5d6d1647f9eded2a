//! Trees that are kept: what is in them, and what becomes of them when isol is killed while it works on them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use isol_tests::{Trees, isol, isol_path, isol_with, must_be_root, must_have, names, run};

fn root(words: &[&str]) -> Command {
    let mut command = isol();
    command.arg("root").args(words);
    command
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The differences that `verify` finds, as `how path`.
fn differences(tree: &Path) -> Vec<String> {
    let out = run(&mut root(&["verify", "--json", text(tree)]));
    let found: serde_json::Value = serde_json::from_str(&out.out).expect(&out.err);
    let list: Vec<_> = found["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| format!("{} {}", d["how"].as_str().unwrap(), d["path"].as_str().unwrap()))
        .collect();
    assert_eq!(out.status, Some(i32::from(!list.is_empty())), "{out:?}");
    list
}

fn manifest(tree: &Path) -> serde_json::Value {
    let path = format!("{}.isol-manifest.json", text(tree));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The paths in a tree's manifest.
fn listed(tree: &Path) -> BTreeSet<String> {
    let entries = manifest(tree)["entries"].as_array().unwrap().clone();
    entries.iter().map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_tree_runs_what_it_was_built_for_and_is_what_its_manifest_says() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("build");
    let tree = trees.join("a tree");
    let built = run(&mut root(&[
        "build",
        text(&tree),
        "--program",
        "id",
        "--program",
        "/bin/sh",
        "--dev",
        "null,urandom",
        "--etc",
        "users,hosts",
        "--nss",
        "--user",
        "nobody",
        "--tmp",
        "--writable",
        "/var/lib/x",
        "--json",
    ]));
    built.succeeded();
    assert_eq!(differences(&tree), [""; 0]);
    assert_eq!(trees.names().len(), 2, "{:?}", trees.names());
    let inside = |words: &[&str]| {
        let mut command = isol_with(["run", "--root", text(&tree), "--user", "nobody", "--"]);
        run(command.args(words)).succeeded().to_owned()
    };
    assert!(inside(&["id", "-un"]).starts_with("nobody"));
    inside(&["sh", "-c", "echo x > /var/lib/x/y && echo x > /tmp/y && : < /dev/null"]);
    // What programs write is theirs.
    assert_eq!(differences(&tree), [""; 0]);
    let entries = manifest(&tree)["entries"].as_array().unwrap().clone();
    let id = entries.iter().find(|entry| entry["from"] == "/usr/bin/id").unwrap();
    assert_eq!((&id["mode"], &id["why"]), (&"0555".into(), &"program".into()));
    let sum = Command::new("sha256sum").arg("/usr/bin/id").output().unwrap();
    assert!(String::from_utf8(sum.stdout).unwrap().starts_with(id["sha256"].as_str().unwrap()));
    // What belongs to somebody else than root is what was asked for.
    let check =
        |path: &Path| path.symlink_metadata().map(|meta| (meta.uid(), meta.mode() & 0o7022));
    assert_eq!(check(&tree.join("usr/bin/id")).unwrap(), (0, 0));
    assert_eq!(check(&tree.join("var/lib/x")).unwrap(), (65534, 0));
}

#[test]
fn each_kind_of_difference_is_found_and_nothing_else() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("verify");
    let tree = trees.join("t");
    run(&mut root(&["build", text(&tree), "--program", "id", "--dev", "null", "--tmp"]))
        .succeeded();
    let id = tree.join("usr/bin/id");
    let copy = trees.join("copy");
    fs::copy(&id, &copy).unwrap();
    let mode = |mode: u32| fs::set_permissions(&id, PermissionsExt::from_mode(mode)).unwrap();
    type Plant<'a> = (&'a str, Box<dyn Fn() + 'a>, Box<dyn Fn() + 'a>);
    let restore = || {
        let _ = fs::remove_dir_all(&id);
        let _ = fs::remove_file(&id);
        fs::copy(&copy, &id).unwrap();
        mode(0o555);
    };
    let plants: Vec<Plant<'_>> = vec![
        ("mode /usr/bin/id", Box::new(|| mode(0o4555)), Box::new(|| mode(0o555))),
        ("owner /usr/bin/id", Box::new(|| chown(&id, Some(7), None).unwrap()), Box::new(restore)),
        ("owner /usr/bin/id", Box::new(|| chown(&id, None, Some(7)).unwrap()), Box::new(restore)),
        ("missing /usr/bin/id", Box::new(|| fs::remove_file(&id).unwrap()), Box::new(restore)),
        (
            "content /usr/bin/id",
            Box::new(|| {
                // As long as before.
                let mut bytes = fs::read(&id).unwrap();
                *bytes.last_mut().unwrap() ^= 1;
                fs::write(&id, bytes).unwrap();
            }),
            Box::new(restore),
        ),
        (
            "type /usr/bin/id",
            Box::new(|| {
                fs::remove_file(&id).unwrap();
                symlink("/usr/bin/x", &id).unwrap();
            }),
            Box::new(restore),
        ),
        (
            "type /usr/bin/id",
            Box::new(|| {
                fs::remove_file(&id).unwrap();
                fs::create_dir(&id).unwrap();
            }),
            Box::new(restore),
        ),
        (
            "links /usr/bin/id",
            Box::new(|| fs::hard_link(&id, trees.join("outside")).unwrap()),
            Box::new(|| fs::remove_file(trees.join("outside")).unwrap()),
        ),
        (
            "added /usr/x",
            Box::new(|| fs::write(tree.join("usr/x"), "").unwrap()),
            Box::new(|| fs::remove_file(tree.join("usr/x")).unwrap()),
        ),
        (
            "added /y",
            Box::new(|| symlink("/", tree.join("y")).unwrap()),
            Box::new(|| fs::remove_file(tree.join("y")).unwrap()),
        ),
        (
            "content /dev/null",
            Box::new(|| {
                fs::remove_file(tree.join("dev/null")).unwrap();
                shell(&format!("mknod -m 666 '{}' c 1 5", text(&tree.join("dev/null"))));
            }),
            Box::new(|| {
                fs::remove_file(tree.join("dev/null")).unwrap();
                shell(&format!("mknod -m 666 '{}' c 1 3", text(&tree.join("dev/null"))));
            }),
        ),
        (
            "mode /",
            Box::new(|| fs::set_permissions(&tree, PermissionsExt::from_mode(0o711)).unwrap()),
            Box::new(|| fs::set_permissions(&tree, PermissionsExt::from_mode(0o755)).unwrap()),
        ),
        (
            "capabilities /usr/bin/id",
            Box::new(|| shell(&format!("setcap cap_net_raw+ep '{}'", text(&id)))),
            Box::new(restore),
        ),
        // What is in a directory for writing is not looked at.
        (
            "",
            Box::new(|| fs::write(tree.join("tmp/x"), "").unwrap()),
            Box::new(|| fs::remove_file(tree.join("tmp/x")).unwrap()),
        ),
    ];
    assert_eq!(differences(&tree), [""; 0]);
    for (expected, plant, mend) in plants {
        plant();
        let found = differences(&tree);
        mend();
        let expected: Vec<_> = Some(expected).filter(|e| !e.is_empty()).into_iter().collect();
        assert_eq!(found, expected);
    }
    assert_eq!(differences(&tree), [""; 0]);
}

fn shell(command: &str) {
    let status = Command::new("sh").args(["-c", command]).status().unwrap();
    assert!(status.success(), "{command}");
}

#[test]
fn what_the_host_updates_comes_in_and_what_was_changed_inside_stays() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("update");
    let (tree, host) = (trees.join("t"), trees.join("host"));
    for (name, content) in [("a", "a1"), ("b", "b1"), ("c", "c1"), ("d", "d1"), ("gone", "g1")] {
        fs::create_dir_all(&host).unwrap();
        fs::write(host.join(name), content).unwrap();
    }
    run(&mut root(&["build", text(&tree), "--program", "id", "--add", text(&host)])).succeeded();
    let inside = |name: &str| tree.join(host.strip_prefix("/").unwrap()).join(name);
    fs::write(host.join("a"), "a2").unwrap();
    fs::write(host.join("b"), "b2").unwrap();
    fs::write(inside("b"), "changed inside").unwrap();
    fs::write(inside("c"), "changed inside").unwrap();
    fs::remove_file(host.join("gone")).unwrap();
    fs::remove_file(host.join("d")).unwrap();
    fs::write(inside("d"), "changed inside").unwrap();
    fs::create_dir(host.join("new")).unwrap();
    fs::write(host.join("new/file"), "n1").unwrap();
    let out = run(&mut root(&["update", "--json", text(&tree)]));
    assert_eq!(out.status, Some(1), "{out:?}");
    let told: serde_json::Value = serde_json::from_str(&out.out).unwrap();
    let list = |what: &str| -> Vec<String> {
        let paths = told[what].as_array().unwrap().iter();
        let below = |path: &serde_json::Value| {
            path.as_str().unwrap().strip_prefix(text(&host)).unwrap().to_owned()
        };
        paths.map(below).collect()
    };
    assert_eq!(list("changed"), ["/a"]);
    assert_eq!(list("added"), ["/new", "/new/file"]);
    assert_eq!(list("removed"), ["/gone"]);
    assert_eq!(list("kept"), ["/b", "/d"]);
    let read = |name: &str| fs::read_to_string(inside(name)).unwrap();
    assert_eq!(read("a") + &read("new/file"), "a2n1");
    assert_eq!(
        (read("b"), read("c"), read("d")),
        ("changed inside".into(), "changed inside".into(), "changed inside".into())
    );
    assert!(!inside("gone").exists());
    assert_eq!(trees.names().len(), 3, "{:?}", trees.names());
    // With what was changed inside taken back, it is up to date.
    for name in ["b", "c", "d"] {
        fs::remove_file(inside(name)).unwrap();
    }
    let found = differences(&tree);
    assert!(found.iter().all(|d| d.starts_with("missing ")) && found.len() == 3, "{found:?}");
}

#[test]
fn bad_input_leaves_everything_as_it_was() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("refused");
    let tree = trees.join("t");
    let refused = |words: &[&str], says: &[&str]| {
        let mut all = vec!["build", text(&tree)];
        all.extend(words);
        run(&mut root(&all)).refused(125, says);
        assert_eq!(trees.names(), BTreeSet::new(), "{words:?}");
    };
    refused(&[], &["nothing is named"]);
    refused(&["--program", "/no/such"], &["/no/such"]);
    refused(&["--program", "id", "--dev", "nul"], &["did you mean `null`"]);
    refused(&["--program", "id", "--dev", "sda"], &["no device is called `sda`"]);
    refused(&["--program", "id", "--etc", "user"], &["did you mean `users`"]);
    refused(&["--program", "id", "--locale", "xx_YY.UTF-8"], &["no locale"]);
    refused(&["--program", "id", "--locale", "../../etc"], &["no name of a locale"]);
    refused(&["--program", "id", "--user", "no-such-user"], &["no-such-user"]);
    refused(&["--program", "id", "--writable", "/x"], &["--user"]);
    refused(
        &["--program", "id", "--user", "nobody", "--writable", "/usr"],
        &["/usr", "root's alone"],
    );
    refused(&["--program", "id", "--user", "nobody", "--writable", "x"], &["no path inside"]);
    run(&mut root(&["build", "/tmp/isol-no", "--program", "id"]))
        .refused(125, &["/tmp", "below /srv"]);

    run(&mut root(&["build", text(&tree), "--program", "id"])).succeeded();
    let before = trees.names();
    run(&mut root(&["build", text(&tree), "--program", "id"])).refused(125, &["is there already"]);
    // Neither half of it comes.
    fs::write(tree.join("usr/bin/env"), "another").unwrap();
    run(&mut root(&["add", text(&tree), "/usr/bin/whoami", "/usr/bin/env"]))
        .refused(125, &["usr/bin/env is in the root already"]);
    assert!(!tree.join("usr/bin/whoami").exists());
    fs::remove_file(tree.join("usr/bin/env")).unwrap();
    assert_eq!(differences(&tree), [""; 0]);
    assert_eq!(trees.names(), before);
    fs::remove_file(format!("{}.isol-manifest.json", text(&tree))).unwrap();
    run(&mut root(&["verify", text(&tree)])).refused(125, &["has no manifest"]);
    run(&mut root(&["update", text(&tree)])).refused(125, &["has no manifest"]);
}

#[test]
fn secrets_and_privileges_do_not_come_along() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("modes");
    let (tree, host) = (trees.join("t"), trees.join("host"));
    fs::create_dir(&host).unwrap();
    for (name, mode) in [("key", 0o600), ("shared", 0o640), ("open", 0o666), ("su", 0o4755)] {
        fs::write(host.join(name), "x").unwrap();
        chown(host.join(name), Some(0), Some(33)).unwrap();
        fs::set_permissions(host.join(name), PermissionsExt::from_mode(mode)).unwrap();
    }
    fs::create_dir(host.join("private")).unwrap();
    fs::set_permissions(host.join("private"), PermissionsExt::from_mode(0o700)).unwrap();
    fs::copy("/usr/bin/id", host.join("cap")).unwrap();
    shell(&format!("setcap cap_net_raw+ep {}", text(&host.join("cap"))));
    let build = |more: &[&str]| {
        let mut words = vec!["build", text(&tree), "--add", text(&host)];
        words.extend(more);
        run(&mut root(&words)).succeeded();
        assert_eq!(differences(&tree), [""; 0]);
        let facts = |name: &str| {
            let path = tree.join(host.strip_prefix("/").unwrap()).join(name);
            let meta = path.metadata().unwrap();
            let caps = Command::new("getcap").arg(&path).output().unwrap().stdout;
            (meta.mode() & 0o7777, meta.uid(), meta.gid(), !caps.is_empty())
        };
        let found = ["key", "shared", "open", "su", "private", "cap"].map(facts);
        fs::remove_dir_all(&tree).unwrap();
        found
    };
    let plain = |mode| (mode, 0, 0, false);
    let modes = [0o400, 0o440, 0o444, 0o555, 0o700, 0o555];
    assert_eq!(build(&[]), modes.map(plain));
    let kept = build(&["--keep-set-id", "--keep-capabilities"]);
    assert_eq!((kept[3], kept[5]), (plain(0o4555), (0o555, 0, 0, true)));
}

#[test]
fn what_a_program_opens_later_is_found_by_running_it() {
    const PYTHON: &str = "/usr/bin/python3";
    const SCRIPT: &str = "import ssl, sqlite3; print(sqlite3.connect(':memory:').execute('select 6*7').fetchone()[0], ssl.OPENSSL_VERSION[:7])";
    if !must_be_root() || !isol_tests::unless((!Path::new(PYTHON).exists()).then_some("no python3"))
    {
        return;
    }
    let trees = Trees::new("trace");
    let build = |tree: &Path, more: &[&str]| {
        let mut words = vec!["build", text(tree), "--program", PYTHON, "--user", "65534:65534"];
        words.extend(more);
        run(&mut root(&words))
    };
    let inside = |tree: &Path| {
        let mut command = isol_with(["run", "--root", text(tree), "--", PYTHON, "-c", SCRIPT]);
        run(&mut command)
    };
    let (without, with) = (trees.join("without"), trees.join("with"));
    build(&without, &[]).succeeded();
    assert_ne!(inside(&without).status, Some(0));
    let out = build(&with, &["--trace", "--", "-c", SCRIPT]);
    assert_eq!((out.status, out.out.trim()), (Some(0), "42 OpenSSL"), "{out:?}");
    assert!(out.err.contains("NOT CONFINED, as nobody (uid 65534)"), "{out:?}");
    assert_eq!(inside(&with).succeeded().trim(), "42 OpenSSL");
    let out = build(&trees.join("json"), &["--json", "--trace", "--", "-c", "print('said')"]);
    let built: Result<serde_json::Value, _> = serde_json::from_str(&out.out);
    assert!(built.is_ok() && out.err.contains("said"), "{out:?}");
    assert_eq!(differences(&with), [""; 0]);
    // Who there is on the host is not told.
    assert!(!with.join("etc/passwd").exists());
    let whys: BTreeSet<_> = manifest(&with)["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["why"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(whys, BTreeSet::from(["program".into(), "traced".into()]));
}

/// What is written is not brought along, what only root can read is not either, and what runs on and on is ended.
#[test]
fn a_program_that_is_watched_is_not_trusted() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("watched");
    let tree = trees.join("t");
    fs::write(trees.join("read"), "1").unwrap();
    fs::write(trees.join("private"), "1").unwrap();
    fs::set_permissions(trees.join("private"), PermissionsExt::from_mode(0o600)).unwrap();
    fs::create_dir(trees.join("w")).unwrap();
    fs::set_permissions(trees.join("w"), PermissionsExt::from_mode(0o777)).unwrap();
    let script = format!(
        "cd {0}; read x < read; echo y > w/made; echo z >> w/made; read x < w/made; read x < private; \
         [ -e private ]; (setsid sleep 100 < read &) ; exec sleep 100",
        text(trees.path())
    );
    let words = [
        "build",
        text(&tree),
        "--program",
        "/bin/sh",
        "--trace",
        "--trace-for",
        "1",
        "--",
        "-c",
        &script,
    ];
    let out = run(&mut root(&words));
    assert_eq!(out.status, Some(0), "{out:?}");
    let below = |name: &str| tree.join(trees.path().strip_prefix("/").unwrap()).join(name);
    assert!(below("read").exists() && !below("w/made").exists() && !below("private").exists());
    assert!(tree.join("usr/bin/sleep").exists() || tree.join("bin/sleep").exists());
    assert!(!tree.join("proc").exists());
}

/// It runs unconfined, as somebody whom root need not trust.
#[test]
fn a_program_that_is_watched_gets_no_terminal_and_no_descriptor() {
    const PYTHON: &str = "/usr/bin/python3";
    const SCRIPT: &str = "
import fcntl, os, termios
print('open', *[fd for fd in range(64) if os.path.exists(f'/proc/self/fd/{fd}')])
for fd in range(3):
    try: fcntl.ioctl(fd, termios.TIOCSTI, b'x'); print('typed', fd)
    except OSError: print('refused', fd)
try: open('/dev/tty'); print('a terminal')
except OSError: print('no terminal')
";
    let python = (!Path::new(PYTHON).exists()).then_some("no python3");
    if !must_be_root() || !must_have(&["setsid"]) || !isol_tests::unless(python) {
        return;
    }
    let trees = Trees::new("apart");
    let tree = trees.join("t");
    let pty = nix::pty::openpty(None, None).expect("a terminal");
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    let status = Command::new("sh")
        .args(["-c", "exec setsid --ctty --wait \"$@\" 7</etc/shadow 8</root", "sh"])
        .arg(isol_path())
        .args(["root", "build", text(&tree), "--program", PYTHON, "--trace", "--", "-c", SCRIPT])
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .status()
        .unwrap();
    drop(pty.slave);
    let mut said = Vec::new();
    // At its end a terminal that nobody has open any more says EIO.
    let _ = fs::File::from(pty.master).read_to_end(&mut said);
    let said = String::from_utf8_lossy(&said).replace('\r', "");
    assert!(status.success(), "{said}");
    let told = "\nopen 0 1 2\nrefused 0\nrefused 1\nrefused 2\nno terminal\n";
    assert!(said.contains("NOT CONFINED") && said.ends_with(told), "{said}");
}

/// A link that anybody but root could have laid brings nothing along.
#[test]
fn links_of_root_s_are_followed_and_others_are_not() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("links");
    let (tree, host) = (trees.join("t"), trees.join("host"));
    for (name, mode, link_owner) in [("ours", 0o755, 0), ("open", 0o777, 0), ("theirs", 0o755, 33)]
    {
        let dir = host.join(name);
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, PermissionsExt::from_mode(mode)).unwrap();
        let target = trees.join(&format!("secret-{name}"));
        fs::write(&target, "x").unwrap();
        symlink(&target, dir.join("link")).unwrap();
        std::os::unix::fs::lchown(dir.join("link"), Some(link_owner), Some(0)).unwrap();
    }
    run(&mut root(&["build", text(&tree), "--add", text(&host)])).succeeded();
    let inside = |name: &str| tree.join(trees.path().strip_prefix("/").unwrap()).join(name);
    for (name, comes) in [("ours", true), ("open", false), ("theirs", false)] {
        assert_eq!(inside(&format!("secret-{name}")).exists(), comes, "{name}");
        assert!(inside(&format!("host/{name}/link")).symlink_metadata().is_ok());
    }
    assert_eq!(differences(&tree), [""; 0]);
}

/// A shared object brings what it needs, alone and in a directory that is added.
#[test]
fn what_shared_objects_need_comes_along() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("shared");
    let (tree, host) = (trees.join("t"), trees.join("host"));
    fs::create_dir(&host).unwrap();
    let source = trees.join("x.c");
    fs::write(&source, "double cos(double); double f(double x) { return cos(x); }").unwrap();
    shell(&format!("cc -shared -fPIC -o {}/plugin.so {} -lm", text(&host), text(&source)));
    run(&mut root(&["build", text(&tree), "--program", "/bin/true"])).succeeded();
    let has = |name: &str| listed(&tree).iter().any(|path| path.ends_with(name));
    assert!(!has("/libm.so.6"));
    run(&mut root(&["add", text(&tree), text(&host)])).succeeded();
    assert!(has("/plugin.so") && has("/libm.so.6"));
    assert_eq!(differences(&tree), [""; 0]);
    // In a directory that isol has not built, too.
    let bare = trees.join("bare");
    fs::create_dir(&bare).unwrap();
    fs::set_permissions(&bare, PermissionsExt::from_mode(0o755)).unwrap();
    run(&mut root(&["add", text(&bare), text(&host.join("plugin.so"))])).succeeded();
    let found = Command::new("find").arg(&bare).args(["-name", "libm.so.6"]).output().unwrap();
    assert!(!found.stdout.is_empty());
    assert!(!names(trees.path()).contains("bare.isol-manifest.json"));
}

/// xorshift64*: the same numbers in each run, so that a failure can be repeated.
fn random(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
}

/// Starts a command, and kills it after a time.
fn killed(command: &mut Command, after: Duration) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

fn time_of(command: &mut Command) -> Duration {
    let start = Instant::now();
    run(command).succeeded();
    start.elapsed()
}

const KILLS: u32 = 200;

#[test]
fn a_build_that_is_killed_at_any_moment_leaves_a_whole_tree_or_none() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("kill-build");
    let tree = trees.join("t");
    let build = || root(&["build", text(&tree), "--program", "id", "--program", "env", "--nss"]);
    let longest = time_of(&mut build());
    let whole = listed(&tree);
    let (mut state, mut there, mut absent) = (0x9e37_79b9_7f4a_7c15, 0, 0);
    for _ in 0..KILLS {
        fs::remove_dir_all(&tree).ok();
        fs::remove_file(format!("{}.isol-manifest.json", text(&tree))).ok();
        let micros = random(&mut state) % (longest.as_micros() as u64 * 5 / 4);
        killed(&mut build(), Duration::from_micros(micros));
        if tree.exists() {
            there += 1;
            assert_eq!(differences(&tree), [""; 0], "killed after {micros} us");
            assert_eq!(listed(&tree), whole);
        } else {
            absent += 1;
            run(&mut root(&["verify", text(&tree)])).refused(125, &["does not exist"]);
        }
    }
    // The next one sweeps what is left.
    fs::remove_dir_all(&tree).ok();
    run(&mut build()).succeeded();
    assert_eq!(trees.names().len(), 2, "{:?}", trees.names());
    assert!(absent > 0 && there > 0, "{there} whole, {absent} absent");
}

/// An old tree, and what `add` makes of it.
fn kill_adds(trees: &Trees, mut each: impl FnMut(&Path, &mut Command)) -> (u32, u32) {
    let (old, tree) = (trees.join("old"), trees.join("t"));
    run(&mut root(&["build", text(&old), "--program", "id"])).succeeded();
    let copy = || {
        fs::remove_dir_all(&tree).ok();
        shell(&format!(
            "cp -a {0} {1} && cp -a {0}.isol-manifest.json {1}.isol-manifest.json",
            text(&old),
            text(&tree)
        ));
    };
    let add = || root(&["add", text(&tree), "/usr/bin/env", "/usr/bin/stat", "/etc/hosts"]);
    copy();
    run(&mut add()).succeeded();
    let (before, after) = (listed(&old), listed(&tree));
    assert!(before.len() < after.len());
    let (mut olds, mut news) = (0, 0);
    for round in 0..KILLS {
        copy();
        each(&tree, &mut add());
        assert_eq!(differences(&tree), [""; 0], "round {round}");
        let now = listed(&tree);
        match now == before {
            true => olds += 1,
            false => {
                assert_eq!(now, after, "round {round}");
                news += 1;
            }
        }
        assert_eq!(trees.names().len(), 4, "{:?}", trees.names());
        assert!(!names(&tree).iter().any(|name| name.starts_with(".isol")), "{:?}", names(&tree));
    }
    (olds, news)
}

#[test]
fn an_add_that_is_killed_at_any_moment_leaves_the_old_tree_or_the_new_one() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("kill-add");
    let (mut state, mut longest) = (0x2545_f491_4f6c_dd1d, None);
    let (olds, news) = kill_adds(&trees, |_, add| match longest {
        None => longest = Some(time_of(add).as_micros() as u64),
        Some(longest) => {
            killed(add, Duration::from_micros(random(&mut state) % (longest * 5 / 4)));
        }
    });
    assert!(olds > 0 && news > 0, "{olds} old, {news} new");
}

/// At each system call that changes anything, one after the other.
#[test]
fn an_add_that_is_killed_at_each_step_leaves_the_old_tree_or_the_new_one() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("kill-step");
    let mut step = 0;
    let calls =
        "mkdirat,openat,symlinkat,renameat,renameat2,unlinkat,fchmod,fsync,syncfs,ftruncate,write";
    let (olds, news) = kill_adds(&trees, |_, add| {
        step += 1;
        // The first calls are the loader's, the next look around: more of the later ones.
        let mut strace = Command::new("strace");
        strace.args(["-qq", "-o", "/dev/null"]);
        strace.arg(format!("--inject={calls}:signal=SIGKILL:when={}", 2 * step));
        strace.arg(isol_path()).args(add.get_args());
        let status = strace.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.code() != Some(125), "{status}");
    });
    assert!(olds > 0 && news > 0, "{olds} old, {news} new");
}
