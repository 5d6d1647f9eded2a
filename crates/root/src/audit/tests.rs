use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn found(dir: &Path) -> Vec<(What, PathBuf)> {
    let root = Sysroot::open(dir).unwrap();
    let found = unclean(&root, &Options::default()).unwrap();
    let below = |f: Finding| f.path.unwrap().strip_prefix(dir).unwrap().to_owned();
    found.into_iter().map(|f| (f.what, below(f))).collect()
}

#[test]
fn an_ordinary_tree_is_clean() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b/c")).unwrap();
    fs::write(dir.path().join("a/b/file"), "x").unwrap();
    fs::hard_link(dir.path().join("a/b/file"), dir.path().join("a/other")).unwrap();
    symlink("/", dir.path().join("a/out")).unwrap();
    symlink("..", dir.path().join("a/b/up")).unwrap();
    assert_eq!(found(dir.path()), []);
}

#[test]
fn set_id_files_are_found_and_mended() {
    let dir = tempfile::tempdir().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"it's \xff");
    fs::create_dir(dir.path().join(name)).unwrap();
    let file = dir.path().join(name).join("f");
    fs::write(&file, "").unwrap();
    for (mode, what) in [(0o4755, What::SetUid), (0o2755, What::SetGid)] {
        for by_command in [true, false] {
            fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(found(dir.path()), [(what, Path::new(name).join("f"))]);
            let root = Sysroot::open(dir.path()).unwrap();
            let finding = unclean(&root, &Options::default()).unwrap().remove(0);
            if by_command {
                let command = finding.mend.unwrap();
                let done = std::process::Command::new("bash").args(["-c", &command]).status();
                assert!(done.unwrap().success());
            } else {
                let done = format!("mode {mode:04o} is now 0755");
                assert_eq!(mend(&root, &finding), Mended::Done(done));
            }
            assert_eq!(found(dir.path()), []);
        }
    }
    // On a directory it is about the group of new files.
    fs::set_permissions(dir.path().join(name), PermissionsExt::from_mode(0o2755)).unwrap();
    assert_eq!(found(dir.path()), []);
}

#[test]
fn another_file_by_the_same_name_is_not_mended() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    let put = |name: &str, mode: u32| {
        fs::write(dir.path().join(name), "").unwrap();
        fs::set_permissions(dir.path().join(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    put("f", 0o4755);
    let root = Sysroot::open(dir.path()).unwrap();
    let finding = unclean(&root, &Options::default()).unwrap().remove(0);
    let is_left = || matches!(mend(&root, &finding), Mended::Left(_));

    put("g", 0o4755);
    fs::rename(dir.path().join("f"), dir.path().join("old")).unwrap();
    symlink("g", &file).unwrap();
    assert!(is_left());
    fs::remove_file(&file).unwrap();
    assert!(is_left());
    fs::rename(dir.path().join("g"), &file).unwrap();
    assert!(is_left());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o4755);
    // The one that was found, but it has another name now.
    fs::rename(dir.path().join("old"), &file).unwrap();
    fs::hard_link(&file, dir.path().join("second")).unwrap();
    assert!(is_left());
    fs::remove_file(dir.path().join("second")).unwrap();
    assert!(!is_left());
}

#[test]
fn a_writable_file_with_a_name_outside_is_found() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("root")).unwrap();
    let (inside, outside) = (dir.path().join("root/f"), dir.path().join("f"));
    fs::write(&inside, "").unwrap();
    fs::hard_link(&inside, &outside).unwrap();
    fs::set_permissions(&inside, PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(found(&dir.path().join("root")), [(What::OutsideLink, "f".into())]);
    fs::hard_link(&inside, dir.path().join("root/g")).unwrap();
    fs::remove_file(&outside).unwrap();
    assert_eq!(found(&dir.path().join("root")), []);
}

#[test]
fn links_are_counted_with_little_memory_too() {
    let dir = tempfile::tempdir().unwrap();
    let (root, outside) = (dir.path().join("root"), dir.path().join("outside"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&outside).unwrap();
    for n in 0..300 {
        let file = root.join(format!("a-{n}"));
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
        fs::hard_link(&file, root.join(format!("b-{n}"))).unwrap();
        if n % 10 == 0 {
            fs::hard_link(&file, outside.join(n.to_string())).unwrap();
        }
    }
    for memory in [usize::MAX, 1000] {
        let options = Options { memory, ..Options::default() };
        let found = unclean(&Sysroot::open(&root).unwrap(), &options).unwrap();
        assert!(found.iter().all(|finding| finding.what == What::OutsideLink));
        assert_eq!(found.len(), 30, "{memory} bytes");
    }
}

#[test]
fn what_is_deep_is_found_and_mended() {
    let dir = tempfile::tempdir().unwrap();
    let here = crew::tests::dig(dir.path(), 2000);
    let flags = nix::fcntl::OFlag::O_CREAT | nix::fcntl::OFlag::O_WRONLY;
    let mode = nix::sys::stat::Mode::S_IRWXU;
    let file = nix::fcntl::openat(&here, "deep", flags, mode).unwrap();
    isol_sys::amend::set_mode(&file, 0o4755).unwrap();
    let root = Sysroot::open(dir.path()).unwrap();
    let finding = unclean(&root, &Options::default()).unwrap().remove(0);
    let depth = finding.path.as_ref().unwrap().strip_prefix(dir.path()).unwrap().components();
    assert_eq!((finding.what, depth.count()), (What::SetUid, 2001));
    assert!(matches!(mend(&root, &finding), Mended::Done(_)));
    assert_eq!(found(dir.path()), []);
    crew::tests::remove_deep(dir);
}

#[test]
fn names_and_severities_are_told_apart() {
    let ids: std::collections::BTreeSet<_> = What::ALL.iter().map(|what| what.id()).collect();
    assert_eq!(ids.len(), What::ALL.len());
    assert!(Severity::Critical < Severity::Low);
}
