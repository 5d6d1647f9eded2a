//! Trees that are kept for the next run: whose they are, and when they are not used.

mod common;

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{Scratch, chmod, host, needs_root};
use isol_core::{Gid, Uid};
use isol_root::throwaway::Options;
use isol_root::throwaway::cache::Request;
use isol_root::{Resolver, Throwaway, sweep};
use isol_sys::state::StateDir;

fn request(program: &str, add: &[&Path]) -> Request {
    let add = add.iter().map(|path| path.to_path_buf()).collect();
    Request { program: PathBuf::from(program), add }
}

fn options(id: u32) -> Options {
    Options::new(Uid::new(id).unwrap(), Gid::new(id).unwrap())
}

/// As a run does: the kept tree, or a new one that is going to be kept.
fn take(state: &StateDir, request: &Request, id: u32) -> (Throwaway, bool) {
    if let Some(tree) = Throwaway::reuse(state, request, &options(id)).unwrap() {
        return (tree, true);
    }
    let host = host();
    let closure = Resolver::new(&host).closure(&request.program, &request.add).unwrap();
    let mut tree = Throwaway::create(state, &host, &closure, &options(id)).unwrap();
    tree.remember(request, &host, &closure).unwrap();
    (tree, false)
}

/// A scratch state directory with a kept tree in the directory beside it.
fn with_kept(request: &Request) -> (Scratch, u64) {
    let scratch = Scratch::new();
    let (tree, reused) = take(&scratch.state, request, 61184);
    assert!(!reused);
    let inode = inode_of(&tree, &request.program);
    tree.give_back().unwrap();
    assert_eq!(scratch.entries(), [""; 0]);
    (scratch, inode)
}

fn inode_of(tree: &Throwaway, path: &Path) -> u64 {
    fs::metadata(tree.path().join(path.strip_prefix("/").unwrap())).unwrap().ino()
}

fn kept(scratch: &Scratch) -> Vec<String> {
    scratch.state.cache().unwrap().entries().unwrap()
}

/// No copy of what is not for everybody outlives its run.
#[test]
fn a_tree_with_files_that_are_not_for_everybody_is_not_kept() {
    if !needs_root() {
        return;
    }
    let base = tempfile::tempdir_in("/opt").unwrap();
    let file = base.path().join("file");
    fs::write(&file, "x").unwrap();
    // By the mode of the file, and by that of a directory above.
    for (dir, mode, expected) in [(0o755, 0o644, 2), (0o755, 0o600, 0), (0o700, 0o644, 0)] {
        chmod(base.path(), dir);
        chmod(&file, mode);
        let scratch = Scratch::new();
        let (tree, _) = take(&scratch.state, &request("/bin/cat", &[&file]), 61184);
        tree.give_back().unwrap();
        assert_eq!(kept(&scratch).len(), expected, "{dir:o} {mode:o}");
        scratch.expect_empty();
    }
}

/// The next run gets a tree of its own, and what was kept is gone.
#[track_caller]
fn expect_miss(scratch: &Scratch, request: &Request) {
    assert!(Throwaway::reuse(&scratch.state, request, &options(61190)).unwrap().is_none());
    assert_eq!(kept(scratch), [""; 0]);
    assert_eq!(scratch.entries(), [""; 0]);
}

#[test]
fn the_next_run_has_the_same_files_and_a_tmp_of_its_own() {
    if !needs_root() {
        return;
    }
    let request = request("/usr/bin/id", &[]);
    let (scratch, inode) = with_kept(&request);
    for id in 61185..61190 {
        let (tree, reused) = take(&scratch.state, &request, id);
        assert!(reused);
        assert_eq!(inode_of(&tree, &request.program), inode);
        let read = |name: &str| fs::read_to_string(tree.path().join(name)).unwrap();
        assert!(
            read("etc/passwd").contains(&format!("\nisol:x:{id}:{id}:")),
            "{}",
            read("etc/passwd")
        );
        assert_eq!(read("etc/group"), format!("root:x:0:\nisol:x:{id}:\n"));
        assert_eq!(fs::read_dir(tree.path().join("tmp")).unwrap().count(), 0);
        let tmp = fs::metadata(tree.path().join("tmp")).unwrap();
        assert_eq!((tmp.mode() & 0o7777, tmp.uid(), tmp.gid()), (0o1777, 0, 0));
        let top = fs::metadata(tree.path()).unwrap();
        assert_eq!((top.mode() & 0o7777, top.uid(), top.gid()), (0o750, 0, id));
        // What this run leaves is not the next one's.
        fs::create_dir_all(tree.path().join("tmp/deep/er")).unwrap();
        fs::write(tree.path().join("tmp/secret"), "x").unwrap();
        tree.give_back().unwrap();
        assert_eq!(scratch.entries(), [""; 0]);
        assert_eq!(kept(&scratch).len(), 2);
    }
}

#[test]
fn a_descriptor_from_an_earlier_run_leads_nowhere_in_a_later_one() {
    if !needs_root() {
        return;
    }
    let request = request("/usr/bin/id", &[]);
    let (scratch, _) = with_kept(&request);
    let (tree, _) = take(&scratch.state, &request, 61185);
    // What a program could have handed to a stranger.
    let held = ["", "usr", "tmp"].map(|name| fs::File::open(tree.path().join(name)).unwrap());
    tree.give_back().unwrap();
    let (tree, reused) = take(&scratch.state, &request, 61186);
    assert!(reused);
    fs::write(tree.path().join("tmp/secret"), "x").unwrap();
    chmod(tree.path().join("tmp/secret"), 0o644);
    for (file, below) in held.iter().zip(["tmp/secret", "../tmp/secret", "secret"]) {
        let number = file.as_raw_fd();
        nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()))
            .unwrap();
        let read = |uid: &str| {
            Command::new("setpriv")
                .args([&format!("--reuid={uid}"), &format!("--regid={uid}"), "--clear-groups"])
                .args(["cat", &format!("/proc/self/fd/{number}/{below}")])
                .output()
                .unwrap()
        };
        assert!(!read("65534").status.success(), "{below}");
        assert!(!read("61185").status.success(), "{below}");
        // It is the way that is shut, and only for strangers.
        assert_eq!(read("61186").status.success(), below != "secret", "{below}");
    }
    drop(tree);
}

#[test]
fn one_run_at_a_time_has_a_tree() {
    if !needs_root() {
        return;
    }
    let request = request("/usr/bin/id", &[]);
    let (scratch, inode) = with_kept(&request);
    let (first, reused) = take(&scratch.state, &request, 61185);
    let (second, also) = take(&scratch.state, &request, 61186);
    assert!(reused && !also);
    assert_ne!(inode_of(&second, &request.program), inode);
    second.give_back().unwrap();
    // There is one already.
    first.give_back().unwrap();
    assert_eq!(kept(&scratch).len(), 2);
    assert_eq!(scratch.entries(), [""; 0]);
    assert!(take(&scratch.state, &request, 61187).1);
}

#[test]
fn whatever_changes_on_the_host_is_seen() {
    if !needs_root() {
        return;
    }
    type Change<'a> = Box<dyn Fn(&Path) + 'a>;
    let times = |path: &Path| {
        let meta = fs::metadata(path).unwrap();
        fs::FileTimes::new().set_modified(meta.modified().unwrap())
    };
    let changes: Vec<(&str, Change<'_>)> = vec![
        ("another program", Box::new(|dir| fs::write(dir.join("id"), "#!/bin/sh\n:\n").unwrap())),
        (
            "as long and as old as before",
            Box::new(|dir| {
                let path = dir.join("id");
                let times = times(&path);
                let mut bytes = fs::read(&path).unwrap();
                *bytes.last_mut().unwrap() ^= 1;
                fs::write(&path, bytes).unwrap();
                fs::File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
            }),
        ),
        ("the mode", Box::new(|dir| chmod(dir.join("id"), 0o700))),
        (
            "a new file in what is added",
            Box::new(|dir| fs::write(dir.join("data/new"), "").unwrap()),
        ),
        ("a file less", Box::new(|dir| fs::remove_file(dir.join("data/sub/file")).unwrap())),
        (
            "deep in what is added",
            Box::new(|dir| fs::write(dir.join("data/sub/file"), "2").unwrap()),
        ),
        (
            "a link to elsewhere",
            Box::new(|dir| {
                fs::remove_file(dir.join("data/link")).unwrap();
                std::os::unix::fs::symlink("sub", dir.join("data/link")).unwrap();
            }),
        ),
        (
            "a directory that is another one",
            Box::new(|dir| {
                fs::rename(dir.join("data"), dir.join("was")).unwrap();
                fs::create_dir_all(dir.join("data/sub")).unwrap();
            }),
        ),
    ];
    for (what, change) in changes {
        let base = tempfile::tempdir_in("/opt").unwrap();
        let dir = base.path();
        fs::copy("/usr/bin/id", dir.join("id")).unwrap();
        fs::create_dir_all(dir.join("data/sub")).unwrap();
        fs::write(dir.join("data/sub/file"), "1").unwrap();
        std::os::unix::fs::symlink("sub/file", dir.join("data/link")).unwrap();
        let data = dir.join("data");
        let request = request(dir.join("id").to_str().unwrap(), &[&data]);
        let (scratch, _) = with_kept(&request);
        let (tree, reused) = take(&scratch.state, &request, 61185);
        assert!(reused, "{what}");
        tree.give_back().unwrap();
        change(dir);
        expect_miss(&scratch, &request);
    }
}

#[test]
fn a_library_that_comes_up_where_it_is_looked_for_first_is_seen() {
    if !needs_root() {
        return;
    }
    let base = tempfile::tempdir_in("/opt").unwrap();
    let dir = base.path();
    let source = dir.join("x.c");
    fs::write(&source, "int main(void) { return 0; }").unwrap();
    let program = dir.join("x");
    let rpath = format!("-Wl,-rpath,{}/lib", dir.display());
    let status = Command::new("cc")
        .args([rpath.as_ref(), source.as_os_str()])
        .arg("-o")
        .arg(&program)
        .status();
    assert!(status.unwrap().success());
    let request = request(program.to_str().unwrap(), &[]);
    let (scratch, _) = with_kept(&request);
    fs::create_dir(dir.join("lib")).unwrap();
    fs::copy("/lib/x86_64-linux-gnu/libc.so.6", dir.join("lib/libc.so.6")).unwrap();
    expect_miss(&scratch, &request);
}

#[test]
fn a_tree_that_was_changed_is_not_used() {
    if !needs_root() {
        return;
    }
    type Change = fn(&Path);
    let changes: [(&str, Change); 8] = [
        ("a file", |tree| fs::write(tree.join("usr/bin/id"), "x").unwrap()),
        ("a mode", |tree| chmod(tree.join("usr/bin/id"), 0o4555)),
        ("something new above", |tree| fs::write(tree.join("new"), "").unwrap()),
        ("something new in dev", |tree| fs::write(tree.join("dev/new"), "").unwrap()),
        ("something new deep in", |tree| fs::write(tree.join("usr/bin/new"), "").unwrap()),
        ("something less", |tree| fs::remove_file(tree.join("dev/null")).unwrap()),
        ("an owner", |tree| std::os::unix::fs::chown(tree.join("etc"), Some(7), None).unwrap()),
        ("the users", |tree| chmod(tree.join("etc/passwd"), 0o666)),
    ];
    let request = request("/usr/bin/id", &[]);
    for (what, change) in changes {
        let (scratch, _) = with_kept(&request);
        let cache = scratch.state.cache().unwrap();
        let tree = kept(&scratch).into_iter().find(|name| name.ends_with(".tree")).unwrap();
        change(&cache.path().join(tree));
        assert!(
            Throwaway::reuse(&scratch.state, &request, &options(61190)).unwrap().is_none(),
            "{what}"
        );
        expect_miss(&scratch, &request);
    }
}

#[test]
fn a_record_that_is_cut_or_another_s_is_none() {
    if !needs_root() {
        return;
    }
    let one = request("/usr/bin/id", &[]);
    let (scratch, _) = with_kept(&one);
    let record = kept(&scratch).into_iter().find(|name| name.ends_with(".record")).unwrap();
    let record = scratch.state.cache().unwrap().path().join(record);
    let text = fs::read(&record).unwrap();
    fs::write(&record, &text[..text.len() / 2]).unwrap();
    assert!(Throwaway::reuse(&scratch.state, &one, &options(61190)).unwrap().is_none());
    // As if two requests had one key.
    let text =
        String::from_utf8(text).unwrap().replace("request /usr/bin/id", "request /usr/bin/it");
    fs::write(&record, text.as_bytes()).unwrap();
    assert!(Throwaway::reuse(&scratch.state, &one, &options(61190)).unwrap().is_none());
}

#[test]
fn a_tree_of_which_nothing_is_known_gives_way_to_the_next() {
    if !needs_root() {
        return;
    }
    let request = request("/usr/bin/id", &[]);
    let (scratch, inode) = with_kept(&request);
    let cache = scratch.state.cache().unwrap().path().to_owned();
    let (records, trees): (Vec<_>, Vec<_>) =
        kept(&scratch).into_iter().partition(|name| name.ends_with(".record"));
    // While it is open its number is nobody else's.
    let _old = fs::File::open(cache.join(&trees[0]).join("usr/bin/id")).unwrap();
    let record = cache.join(&records[0]);
    let text = fs::read_to_string(&record).unwrap();
    // As another version writes it.
    fs::write(&record, text.replacen("isol-cache ", "isol-cache 0", 1)).unwrap();
    let (tree, reused) = take(&scratch.state, &request, 61185);
    assert!(!reused);
    assert_ne!(inode_of(&tree, &request.program), inode);
    tree.give_back().unwrap();
    assert_eq!(kept(&scratch).len(), 2);
    assert!(take(&scratch.state, &request, 61186).1);
}

#[test]
fn no_more_than_a_few_trees_are_kept() {
    if !needs_root() {
        return;
    }
    let base = tempfile::tempdir_in("/opt").unwrap();
    let scratch = Scratch::new();
    for number in 0..40 {
        let program = base.path().join(format!("sh{number}"));
        fs::write(&program, "#!/bin/busybox sh\n").unwrap();
        chmod(&program, 0o755);
        let (tree, _) = take(&scratch.state, &request(program.to_str().unwrap(), &[]), 61184);
        tree.give_back().unwrap();
    }
    let names = kept(&scratch);
    let trees = names.iter().filter(|name| name.ends_with(".tree")).count();
    assert_eq!((trees, names.len()), (32, 64));
}

fn start(state: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "helper"]).env("ISOL_TEST_STATE", state);
    command.stdout(Stdio::null()).spawn().unwrap()
}

/// Not a test of its own: takes trees and gives them back for ever.
#[test]
fn helper() {
    let Some(state) = std::env::var_os("ISOL_TEST_STATE") else { return };
    let state = StateDir::open_at(state.as_ref()).unwrap();
    for id in (61200..65000).cycle() {
        let (tree, _) = take(&state, &request("/usr/bin/id", &[]), id);
        fs::write(tree.path().join("tmp/x"), "x").unwrap();
        tree.give_back().unwrap();
    }
}

/// Whoever is killed leaves no tree that is used and not whole, and nothing but what is kept.
#[test]
fn whoever_is_killed_at_any_moment_leaves_whole_trees_or_none() {
    if !needs_root() {
        return;
    }
    let scratch = Scratch::new();
    let request = request("/usr/bin/id", &[]);
    let mut reused = 0;
    for round in 0..100_u64 {
        let mut children: Vec<_> = (0..2).map(|_| start(scratch.state.path())).collect();
        std::thread::sleep(std::time::Duration::from_micros(15_000 + 400 * round));
        for child in &mut children {
            child.kill().unwrap();
        }
        children.iter_mut().for_each(|child| _ = child.wait().unwrap());
        let swept = sweep(&scratch.state, |_| panic!()).unwrap();
        assert!(swept.failed.is_empty(), "{swept:?}");
        assert_eq!(scratch.entries(), [""; 0]);
        let (tree, again) = take(&scratch.state, &request, 61184);
        reused += u32::from(again);
        let closure = Resolver::new(&host()).closure(&request.program, &[]).unwrap();
        for path in &closure.loaded {
            let copy = tree.path().join(path.strip_prefix("/").unwrap());
            assert_eq!(fs::read(copy).unwrap(), fs::read(path).unwrap(), "{}", path.display());
        }
        assert_eq!(fs::read_dir(tree.path().join("tmp")).unwrap().count(), 0);
        tree.give_back().unwrap();
        let left = kept(&scratch);
        let stray = left.iter().filter(|name| name.as_bytes().first() != Some(&b'.')).count();
        assert!(stray <= 2, "{left:?}");
    }
    assert!(reused > 0);
}
