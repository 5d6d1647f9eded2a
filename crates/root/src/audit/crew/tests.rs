use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nix::sys::stat::{Mode, mkdirat};

use super::super::rules::path;
use super::*;

/// Notes everything that it is shown, and what it was told that it can't be shown.
#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<(PathBuf, Kind)>>,
    unread: Mutex<Vec<(PathBuf, Errno)>>,
    /// Called at each directory.
    then: Option<Hook>,
}

type Hook = Box<dyn Fn(&Path) + Sync + Send>;

impl Visitor for Notes {
    type Mark = ();

    fn directory(
        &self,
        above: &Arc<Place<()>>,
        name: &CStr,
        _: BorrowedFd<'_>,
        brief: &Brief,
    ) -> Option<()> {
        let path = path(above, name);
        if let Some(then) = &self.then {
            then(&path);
        }
        self.seen.lock().unwrap().push((path, brief.kind()));
        Some(())
    }

    fn other(&self, seen: &Seen<'_, ()>) -> nix::Result<Then> {
        // Whatever the directory said: it is looked at anew.
        let kind = Brief::at(seen.dir, seen.name)?.kind();
        if kind == Kind::Directory {
            return Ok(Then::Directory);
        }
        self.seen.lock().unwrap().push((path(seen.place, seen.name), kind));
        Ok(Then::Done)
    }

    fn mount(&self, seen: &Seen<'_, ()>) {
        self.unread.lock().unwrap().push((path(seen.place, seen.name), Errno::EXDEV));
    }

    fn unread(&self, place: &Place<()>, name: &CStr, why: Errno) {
        self.unread.lock().unwrap().push((path(place, name), why));
    }
}

/// Counts directories. Paths of 10,000 names take their time.
#[derive(Default)]
struct Count(AtomicU64);

impl Visitor for Count {
    type Mark = ();

    fn directory(&self, _: &Arc<Place<()>>, _: &CStr, _: BorrowedFd<'_>, _: &Brief) -> Option<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Some(())
    }

    fn other(&self, _: &Seen<'_, ()>) -> nix::Result<Then> {
        panic!("there are none")
    }

    fn mount(&self, _: &Seen<'_, ()>) {
        panic!("there is none")
    }

    fn unread(&self, _: &Place<()>, _: &CStr, why: Errno) {
        panic!("{why}")
    }
}

fn walked<V: Visitor<Mark = ()>>(dir: &Path, threads: usize, open: usize, notes: &V) {
    let file = fs::File::open(dir).unwrap();
    let brief = Brief::of(&file).unwrap();
    let way = Way { threads: NonZero::new(threads).unwrap(), across: false, open };
    walk(file.into(), &brief, (), way, notes).unwrap();
}

/// What a walk saw, each thing once.
fn seen(dir: &Path, threads: usize, open: usize) -> BTreeSet<PathBuf> {
    let notes = Notes::default();
    walked(dir, threads, open, &notes);
    assert_eq!(*notes.unread.lock().unwrap(), []);
    let seen = notes.seen.into_inner().unwrap();
    let set: BTreeSet<_> = seen.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(set.len(), seen.len(), "something was seen twice");
    set
}

/// A tree of which the shape is drawn from `seed`, and what is in it.
fn grow(dir: &Path, seed: &mut u64, depth: usize, all: &mut BTreeSet<PathBuf>, top: &Path) {
    let mut draw = |most: u64| {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % most
    };
    let (files, dirs) = (draw(40), if depth == 0 { 0 } else { draw(5) });
    for n in 0..files {
        let path = dir.join(format!("file-{n}"));
        if n % 7 == 3 {
            symlink("/", &path).unwrap()
        } else {
            fs::write(&path, "").unwrap()
        }
        all.insert(path.strip_prefix(top).unwrap().to_owned());
    }
    for n in 0..dirs {
        let path = dir.join(format!("dir-{n}"));
        fs::create_dir(&path).unwrap();
        all.insert(path.strip_prefix(top).unwrap().to_owned());
        grow(&path, seed, depth - 1, all, top);
    }
}

#[test]
fn everything_is_seen_once_by_any_number_of_threads_and_descriptors() {
    for mut seed in 1..12 {
        let dir = tempfile::tempdir().unwrap();
        let mut all = BTreeSet::new();
        grow(dir.path(), &mut seed, 6, &mut all, dir.path());
        for (threads, open) in [(1, 256), (1, 2), (2, 256), (2, 3), (4, 2)] {
            assert_eq!(seen(dir.path(), threads, open), all, "{threads} threads, {open} open");
        }
    }
}

#[test]
fn a_large_directory_is_shared() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = BTreeSet::new();
    for n in 0..5000 {
        let name = format!("{n}-{}", "x".repeat(100));
        if n % 10 == 0 {
            fs::create_dir(dir.path().join(&name)).unwrap();
        } else {
            fs::write(dir.path().join(&name), "").unwrap();
        }
        all.insert(PathBuf::from(name));
    }
    for threads in [1, 3] {
        assert_eq!(seen(dir.path(), threads, 2), all);
    }
}

/// A directory in a directory, so often, and a second one beside each.
pub(in super::super) fn dig(dir: &Path, depth: usize) -> std::os::fd::OwnedFd {
    let mut here: std::os::fd::OwnedFd = fs::File::open(dir).unwrap().into();
    for _ in 0..depth {
        mkdirat(&here, "d", Mode::S_IRWXU).unwrap();
        mkdirat(&here, "e", Mode::S_IRWXU).unwrap();
        here = nix::fcntl::openat(
            &here,
            "d",
            nix::fcntl::OFlag::O_RDONLY | nix::fcntl::OFlag::O_DIRECTORY,
            Mode::empty(),
        )
        .unwrap();
    }
    here
}

/// The standard library would need a descriptor for each level.
pub(in super::super) fn remove_deep(dir: tempfile::TempDir) {
    let status = std::process::Command::new("rm").arg("-rf").arg(dir.path()).status().unwrap();
    assert!(status.success());
    std::mem::forget(dir);
}

#[test]
fn depth_costs_no_stack_and_few_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    drop(dig(dir.path(), 10_000));
    for (threads, open) in [(1, 2), (2, 16)] {
        let count = Count::default();
        walked(dir.path(), threads, open, &count);
        assert_eq!(count.0.load(Ordering::Relaxed), 20_000);
    }
    remove_deep(dir);
}

#[test]
fn a_directory_that_is_moved_on_the_way_is_left_by_another_way() {
    let dir = tempfile::tempdir().unwrap();
    // Deep enough that the upper ones are closed by then.
    let inner = dir.path().join("a/b/c/d/e");
    fs::create_dir_all(&inner).unwrap();
    for beside in ["a/x", "a/b/x", "a/b/c/x", "a/b/c/d/x"] {
        fs::write(dir.path().join(beside), "").unwrap();
        fs::create_dir(dir.path().join(beside).with_file_name("dir")).unwrap();
    }
    let (from, to) = (dir.path().join("a/b/c/d"), dir.path().join("elsewhere"));
    let moved = AtomicBool::new(false);
    let notes = Notes {
        then: Some(Box::new(move |path| {
            if path.ends_with("e") && !moved.swap(true, Ordering::Relaxed) {
                fs::rename(&from, &to).unwrap();
            }
        })),
        ..Notes::default()
    };
    walked(dir.path(), 1, 2, &notes);
    assert_eq!(*notes.unread.lock().unwrap(), []);
    let seen = notes.seen.lock().unwrap();
    for path in ["a/dir", "a/b/dir", "a/b/c/dir", "a/x", "a/b/c/d/e"] {
        assert!(seen.iter().any(|(seen, _)| seen == Path::new(path)), "{path}: {seen:?}");
    }
}

#[test]
fn nothing_is_followed_out_of_a_tree_that_changes_under_the_walk() {
    let dir = tempfile::tempdir().unwrap();
    let outside = dir.path().join("outside");
    let tree = dir.path().join("tree");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(&tree).unwrap();
    fs::write(outside.join("secret"), "").unwrap();
    let stop = AtomicBool::new(false);
    let (mut walks, mut seen_one) = (0, false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // A directory, a link to one outside, a file, nothing; by turns.
            let path = tree.join("it");
            while !stop.load(Ordering::Relaxed) {
                let _ = fs::create_dir(&path);
                let _ = fs::write(path.join("inside"), "");
                let _ = fs::remove_dir_all(&path);
                let _ = symlink(&outside, &path);
                let _ = fs::remove_file(&path);
                let _ = fs::write(&path, "");
                let _ = fs::remove_file(&path);
            }
        });
        while walks < 3000 {
            let notes = Notes::default();
            walked(&tree, 2, 2, &notes);
            for (path, _) in notes.seen.lock().unwrap().iter() {
                assert!(!path.ends_with("secret"));
                seen_one |= path.ends_with("inside");
            }
            for (_, why) in notes.unread.lock().unwrap().iter() {
                assert!(matches!(why, Errno::EAGAIN | Errno::ESTALE), "{why}");
            }
            walks += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(seen_one, "the tree never changed");
}

#[test]
fn a_visitor_that_panics_ends_the_walk() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..20 {
        fs::create_dir_all(dir.path().join(format!("{n}/x/y"))).unwrap();
    }
    let panicking = || {
        let notes = Notes { then: Some(Box::new(|_| panic!("as it should"))), ..Notes::default() };
        walked(dir.path(), 3, 2, &notes);
    };
    assert!(std::panic::catch_unwind(panicking).is_err());
}
