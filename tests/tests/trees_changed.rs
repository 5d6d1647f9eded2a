//! Changes of trees that stand: what is refused before anything is changed, and what is left of a change that fails.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use isol_tests::{Run, Trees, copy_program, isol_with, must_be_root, must_have, names, run};

const NOBODY: u32 = 65534;

fn root(word: &str, tree: &Path, rest: &[&str]) -> Run {
    run(isol_with(["root", word]).arg(tree).args(rest))
}

fn built(trees: &Trees, options: &[&str]) -> std::path::PathBuf {
    let tree = trees.join("t");
    root("build", &tree, &[&["--program", "id"], options].concat()).succeeded();
    tree
}

fn shell(command: &str) {
    let status = Command::new("sh").args(["-c", command]).status().unwrap();
    assert!(status.success(), "{command}");
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// The tree is what its manifest says, and nothing waits to be done.
#[track_caller]
fn expect_whole(tree: &Path) {
    assert_eq!(root("verify", tree, &[]).succeeded(), "");
    let left = names(tree).into_iter().filter(|name| name.starts_with(".isol"));
    assert_eq!(left.collect::<Vec<_>>(), [""; 0]);
    let journal = tree.with_file_name(".t.isol-journal.json");
    assert!(!journal.exists());
}

/// Undoes mounts when a test ends, however it ends.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn new(words: &[&str], on: &Path) -> Self {
        let done = Command::new("mount").args(words).arg(on).status().unwrap();
        assert!(done.success(), "mount {words:?}");
        Self(on.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn nothing_is_put_where_somebody_else_could_lay_a_link() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("links");
    let host = trees.join("host");
    for dir in ["host", "host/data", "host/data/sub"] {
        fs::create_dir(trees.join(dir)).unwrap();
    }
    let file = host.join("data/sub/ld.so.preload");
    fs::write(&file, "x").unwrap();
    let file = file.to_str().unwrap();
    let data = host.join("data");
    let writable = ["--user", "nobody", "--writable", data.to_str().unwrap()];
    let tree = built(&trees, &writable);
    let inside = tree.join(data.strip_prefix("/").unwrap());
    // As the program's user would.
    symlink("/usr", inside.join("sub")).unwrap();
    let before = names(&tree.join("usr"));
    root("add", &tree, &[file]).refused(125, &["for programs to write to"]);
    // And one that knows no manifest, or whose manifest says nothing of it.
    let manifest = tree.with_file_name("t.isol-manifest.json");
    fs::rename(&manifest, trees.join("away")).unwrap();
    let mend = format!("chown 0 {}", inside.display());
    root("add", &tree, &[file]).refused(125, &["owned by somebody else", &mend]);
    fs::remove_file(inside.join("sub")).unwrap();
    root("add", &tree, &[file]).refused(125, &["owned by somebody else", &mend]);
    chown(&inside, Some(0), Some(0)).unwrap();
    mode(&inside, 0o1777);
    root("add", &tree, &[file]).refused(125, &["by its group or by others"]);
    assert_eq!(names(&tree.join("usr")), before);
    assert_eq!(names(&inside).len(), 0);
    fs::rename(trees.join("away"), &manifest).unwrap();
    chown(&inside, Some(NOBODY), Some(NOBODY)).unwrap();
    mode(&inside, 0o700);
    expect_whole(&tree);
    // What was refused does not stand in the way of what comes later.
    root("update", &tree, &[]).succeeded();
    root("add", &tree, &["/usr/bin/env"]).succeeded();
    expect_whole(&tree);
}

/// As a killed call leaves it, and then a link in the place of a directory.
#[test]
fn what_comes_in_the_way_of_a_noted_change_does_not_keep_others_from_theirs() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("wedge");
    let tree = built(&trees, &[]);
    let note = |steps: &str| {
        let stage = tree.join(".isol-stage");
        fs::create_dir(&stage).unwrap();
        fs::write(stage.join("0"), "staged").unwrap();
        let text = format!(r#"{{"steps": [{steps}], "manifest": null}}"#);
        fs::write(tree.with_file_name(".t.isol-journal.json"), text).unwrap();
    };
    let outside = trees.join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, tree.join("usr/led")).unwrap();
    let steps = [
        r#"{"put": {"number": 0, "path": "/usr/led/file", "replace": false}}"#,
        r#"{"put": {"number": 0, "path": "/usr/none/file", "replace": false}}"#,
        r#"{"put": {"number": 0, "path": "/usr/bin", "replace": true}}"#,
        r#"{"put": {"number": 0, "path": "/usr/bin/id/file", "replace": true}}"#,
        r#"{"remove": {"path": "/usr/bin", "directory": false}}"#,
        r#"{"remove": {"path": "/usr/led/file", "directory": false}}"#,
    ];
    for step in steps {
        note(step);
        assert_eq!(root("verify", &tree, &[]).out, "added /usr/led\n", "{step}");
        assert_eq!(names(&outside).len(), 0);
    }
    fs::remove_file(tree.join("usr/led")).unwrap();
    expect_whole(&tree);
}

#[test]
fn what_is_mounted_in_a_tree_is_found_before_anything_is_changed() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("mounts");
    let tree = built(&trees, &[]);
    let bin = tree.join("usr/bin");
    let refused = |word: &str, words: &[&str], at: &Path| {
        let umount = format!("umount {}", at.display());
        root(word, &tree, words).refused(125, &["something is mounted on", &umount]);
    };
    {
        let _bound = Mounted::new(&["--bind", bin.to_str().unwrap()], &bin);
        refused("add", &["/usr/bin/wc"], &bin);
        expect_whole(&tree);
    }
    // The call that was refused is not made up for later.
    expect_whole(&tree);
    assert!(!bin.join("wc").exists());
    // A single file, too, that would be replaced.
    let host = trees.join("host");
    fs::write(&host, "one").unwrap();
    root("add", &tree, &[host.to_str().unwrap()]).succeeded();
    fs::write(&host, "two").unwrap();
    let inside = tree.join(host.strip_prefix("/").unwrap());
    {
        let _bound = Mounted::new(&["--bind", inside.to_str().unwrap()], &inside);
        refused("update", &[], &inside);
        expect_whole(&tree);
    }
    root("update", &tree, &[]).succeeded();
    assert_eq!(fs::read_to_string(&inside).unwrap(), "two");
}

#[test]
fn an_add_that_fails_leaves_nothing() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("full");
    let disk = trees.join("disk");
    fs::create_dir(&disk).unwrap();
    let _disk = Mounted::new(&["-t", "tmpfs", "-o", "size=8m,mode=755", "none"], &disk);
    let tree = disk.join("t");
    root("build", &tree, &["--program", "id"]).succeeded();
    let big = trees.join("big");
    fs::create_dir(&big).unwrap();
    for n in 0..8 {
        fs::write(big.join(n.to_string()), vec![n; 1 << 20]).unwrap();
    }
    let before = (names(&tree), names(&disk));
    root("add", &tree, &[big.to_str().unwrap()]).refused(125, &["No space left"]);
    assert_eq!((names(&tree), names(&disk)), before);
    expect_whole(&tree);
}

#[test]
fn what_has_gone_from_the_host_is_named_and_taken_out() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("gone");
    let (one, two, three) = (trees.join("one"), trees.join("two"), trees.join("three"));
    for path in [&one, &two, &three] {
        fs::write(path, "x").unwrap();
    }
    let tree = built(&trees, &["--program", "env"]);
    let [one, two, three] = [&one, &two, &three].map(|path| path.to_str().unwrap());
    root("add", &tree, &[one, two, three]).succeeded();
    fs::remove_file(one).unwrap();
    fs::remove_file(two).unwrap();
    let command = format!("isol root remove {} {one} {two}", tree.display());
    root("update", &tree, &[]).refused(125, &["not on this host any more", one, two, &command]);
    // One of both is not enough, and nothing has been done then.
    let rest = format!("isol root remove {} {two}", tree.display());
    root("remove", &tree, &[one]).refused(125, &["not on this host any more", &rest]);
    root("remove", &tree, &[one, two, "/no/such"]).refused(125, &["was not asked", "/no/such"]);
    expect_whole(&tree);
    let inside = |path: &str| tree.join(path.trim_start_matches('/'));
    assert!(inside(one).exists() && inside(two).exists());
    let out = root("remove", &tree, &[one, two]);
    assert_eq!(out.succeeded(), format!("removed {one}\nremoved {two}\n"));
    assert!(!inside(one).exists() && inside(three).exists());
    expect_whole(&tree);
    root("update", &tree, &[]).succeeded();
    // What is still there can be taken out as well, programs with all that only they needed.
    let out = root("remove", &tree, &[three, "/usr/bin/env", "--json"]);
    let removed = out.succeeded().contains(r#""removed""#);
    assert!(removed && !inside("usr/bin/env").exists() && inside("usr/bin/id").exists());
    run(isol_with(["run", "--root"]).arg(&tree).args(["--", "id"])).succeeded();
    root("remove", &tree, &[three]).refused(125, &["was not asked to hold"]);
    expect_whole(&tree);
}

#[test]
fn what_can_not_be_had_is_refused_by_build() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("asked");
    let tree = trees.join("t");
    let refused = |words: &[&str], says: &[&str]| {
        root("build", &tree, &[&["--program", "id", "--user", "nobody"], words].concat())
            .refused(125, says);
        assert_eq!(trees.names().len(), 1, "{words:?}");
    };
    let host = trees.join("host");
    fs::create_dir_all(host.join("dir")).unwrap();
    symlink("dir", host.join("led")).unwrap();
    let (led, dir) = (host.join("led"), host.join("dir"));
    let (led, below) = (led.to_str().unwrap(), led.join("x"));
    let leads = format!("leads to, {}", dir.display());
    for place in [led, below.to_str().unwrap()] {
        let says = ["as it is asked for", "a link to dir", &leads];
        refused(&["--add", led, "--writable", place], &says);
    }
    for place in ["/.isol-stage", "/.isol-stage/x"] {
        refused(&["--writable", place], &["/.isol-stage", "can't be in a tree"]);
    }
}

#[test]
fn what_keeps_a_tree_from_being_made_is_said() {
    if !must_be_root() {
        return;
    }
    let trees = Trees::new("said");
    let disk = trees.join("disk");
    fs::create_dir(&disk).unwrap();
    let options = "size=32m,mode=755,nodev";
    let mounted = Mounted::new(&["-t", "tmpfs", "-o", options, "none"], &disk);
    let tree = disk.join("t");
    let at = format!("\"$(findmnt -no TARGET -T {})\"", disk.display());
    root("build", &tree, &["--program", "id", "--dev", "null"])
        .refused(125, &["nodev", &format!("mount -o remount,dev {at}")]);
    assert_eq!(names(&disk).len(), 0);
    root("build", &tree, &["--program", "id"]).succeeded();
    shell(&format!("mount -o remount,ro {}", disk.display()));
    // A tree can be looked at there all the same.
    assert_eq!(root("verify", &tree, &[]).succeeded(), "");
    let remount = format!("mount -o remount,rw {at}");
    let other = disk.join("other");
    root("build", &other, &["--program", "id"]).refused(125, &["Read-only file system", &remount]);
    drop(mounted);
    // A tree of which nobody knows what it should be.
    let tree = built(&trees, &[]);
    fs::remove_file(tree.with_file_name("t.isol-manifest.json")).unwrap();
    let out = root("verify", &tree, &[]);
    out.refused(125, &["has no manifest", "mv ", "isol root build"]);
    let help = out.err.lines().find_map(|line| line.strip_prefix("help: ")).unwrap();
    let isol = isol_tests::isol_path();
    shell(&help.replace("isol ", &format!("{} ", isol.display())).replace("PROGRAM", "id"));
    expect_whole(&tree);
}

/// An ordinary user's help is of use to an ordinary user.
#[test]
fn an_ordinary_user_is_told_what_he_can_do() {
    if !must_be_root() || !must_have(&["setpriv"]) {
        return;
    }
    let trees = Trees::new("own");
    let home = trees.join("home");
    fs::create_dir_all(home.join("r/usr/bin")).unwrap();
    shell(&format!("chown -R 1537:1537 {}", home.display()));
    // Where every user reaches it.
    let isol = trees.join("isol");
    copy_program(isol_tests::isol_path(), &isol);
    let as_user = |words: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=1537", "--regid=1537", "--clear-groups"]).arg(&isol);
        run(command.args(words).env("XDG_RUNTIME_DIR", &home).current_dir("/"))
    };
    let tree = home.join("tree");
    for words in [["build", "--program", "id"], ["add", "/usr/bin/id", "/usr/bin/env"]] {
        let words = [&["root", words[0], tree.to_str().unwrap()], &words[1..]].concat();
        let out = as_user(&words);
        out.refused(125, &["trees that are kept are root's", "isol run -- PROGRAM"]);
        assert!(!out.err.contains("chown"), "{out:?}");
    }
    // His place in the shared directory is somebody else's: nobody but its owner can give it away.
    let squatted = Path::new("/tmp/isol-1537");
    let _ = fs::remove_dir_all(squatted);
    for bits in [0o755, 0o700] {
        fs::create_dir(squatted).unwrap();
        chown(squatted, Some(1538), Some(1538)).unwrap();
        mode(squatted, bits);
        let shared = |before: &str| {
            let words = format!("{before}exec {} run -- /usr/bin/id", isol.display());
            let mut command = Command::new("setpriv");
            command.args(["--reuid=1537", "--regid=1537", "--clear-groups", "bash", "-c", &words]);
            run(command.env_remove("XDG_RUNTIME_DIR").current_dir("/"))
        };
        let (out, with) = (shared(""), "export XDG_RUNTIME_DIR=\"$(mktemp -d)\"");
        let mended = shared(&format!("{with}; "));
        fs::remove_dir(squatted).unwrap();
        if mended.status == Some(0) {
            out.refused(125, &["/tmp/isol-1537", &format!("help: {with}\n")]);
        }
    }
    let own = home.join("r");
    let out = as_user(&["run", "--root", own.to_str().unwrap(), "--", "/usr/bin/id"]);
    if out.status == Some(127) {
        let copy = format!("mkdir -p {0}/usr/bin && cp /usr/bin/id {0}/usr/bin", own.display());
        out.refused(127, &["is not in the root", &copy]);
    } else {
        // Where ordinary users are not let have user namespaces nobody gets as far.
        out.refused(125, &[]);
    }
}
