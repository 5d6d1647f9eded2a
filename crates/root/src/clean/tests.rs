use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn found(dir: &Path) -> Vec<(What, PathBuf)> {
    let root = Sysroot::open(dir).unwrap();
    let found = find_unclean(&root, &CleanOptions::default()).unwrap();
    found.into_iter().map(|f| (f.what, f.path.strip_prefix(dir).unwrap().to_owned())).collect()
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
        fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        assert_eq!(found(dir.path()), [(what, Path::new(name).join("f"))]);
        let root = Sysroot::open(dir.path()).unwrap();
        let mend = find_unclean(&root, &CleanOptions::default()).unwrap()[0].mend.clone().unwrap();
        assert!(std::process::Command::new("bash").args(["-c", &mend]).status().unwrap().success());
        assert_eq!(found(dir.path()), []);
    }
    // On a directory it is about the group of new files.
    fs::set_permissions(dir.path().join(name), PermissionsExt::from_mode(0o2755)).unwrap();
    assert_eq!(found(dir.path()), []);
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
fn depth_costs_no_stack_and_no_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    let mut here = std::fs::File::open(dir.path()).unwrap();
    for _ in 0..2000 {
        nix::sys::stat::mkdirat(&here, "d", Mode::S_IRWXU).unwrap();
        let flags = nix::fcntl::OFlag::O_RDONLY | nix::fcntl::OFlag::O_DIRECTORY;
        here = openat(&here, "d", flags, Mode::empty()).unwrap().into();
    }
    let flags = nix::fcntl::OFlag::O_CREAT | nix::fcntl::OFlag::O_WRONLY;
    let file = openat(&here, "deep", flags, Mode::S_IRWXU).unwrap();
    nix::sys::stat::fchmod(&file, Mode::from_bits_truncate(0o4755)).unwrap();
    let (what, path) = found(dir.path()).remove(0);
    assert_eq!((what, path.components().count()), (What::SetUid, 2001));
    // The standard library would need a descriptor for each level.
    assert!(
        std::process::Command::new("rm")
            .arg("-rf")
            .arg(dir.path().join("d"))
            .status()
            .unwrap()
            .success()
    );
}
