use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::Path;

use isol_core::Uid;
use nix::errno::Errno;

use super::{SourceError, open};
use crate::rootdir::Flaw;

/// A directory of one's own in which `link` leads to `there/file`.
fn tree() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    // Not what lies in a sticky directory: that has a rule of its own.
    let path = fs::canonicalize(dir.path()).unwrap().join("below");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(&path).unwrap();
    fs::create_dir(path.join("there")).unwrap();
    fs::write(path.join("there/file"), "text").unwrap();
    symlink("there", path.join("link")).unwrap();
    (dir, path)
}

fn own() -> Option<Uid> {
    Uid::new(nix::unistd::geteuid().as_raw())
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn one_s_own_links_are_followed_and_the_path_says_where_it_is() {
    let (_kept, dir) = tree();
    let file = open(&dir.join("link/./file"), own()).unwrap();
    assert_eq!((file.path, file.name), (dir.join("there/file"), Some("file".into())));
    let directory = open(&dir.join("link/../link/"), own()).unwrap();
    assert_eq!((directory.path, directory.name), (dir.join("there"), None));
    symlink(dir.join("link"), dir.join("again")).unwrap();
    assert_eq!(open(&dir.join("again"), own()).unwrap().path, dir.join("there"));
    symlink("round", dir.join("round")).unwrap();
    assert!(matches!(open(&dir.join("round"), own()), Err(SourceError::Loop { .. })));
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn what_is_no_path_to_anything_is_refused() {
    let (_kept, dir) = tree();
    assert!(matches!(open(Path::new("a"), None), Err(SourceError::Relative { .. })));
    let missing = open(&dir.join("none/x"), None).unwrap_err();
    assert_eq!(missing.errno(), Some(Errno::ENOENT));
    assert_eq!(missing.to_string(), format!("{} does not exist", dir.join("none").display()));
    let through = open(&dir.join("there/file/x"), None).unwrap_err();
    assert_eq!(through.errno(), Some(Errno::ENOTDIR));
}

#[test]
fn a_link_that_somebody_else_could_have_laid_is_not_followed() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let flaw = |dir: &Path, caller| match open(&dir.join("link/file"), caller) {
        Ok(_) => None,
        Err(SourceError::Link { component, what, .. }) => Some((component, what)),
        Err(other) => panic!("{other}"),
    };
    let user = Uid::new(1500);
    let (_kept, dir) = tree();
    assert_eq!(flaw(&dir, None), None);
    lchown(dir.join("link"), Some(1500), None).unwrap();
    assert_eq!(flaw(&dir, None), Some((dir.join("link"), Flaw::ForeignOwner)));
    assert_eq!(flaw(&dir, user), None, "he calls himself");
    lchown(dir.join("link"), Some(0), None).unwrap();
    for mode in [0o777, 0o1777, 0o775] {
        fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(flaw(&dir, None), Some((dir.clone(), Flaw::WritableByOthers)), "{mode:o}");
    }
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    chown(&dir, Some(1500), None).unwrap();
    // It, or the sticky directory that it could be moved out of.
    assert!(flaw(&dir, None).is_some());
    assert_eq!(flaw(&dir, user), None);
    assert!(flaw(&dir, Uid::new(1501)).is_some());
    // Without a link nobody can lead anybody anywhere.
    assert!(open(&dir.join("there/file"), None).is_ok());
}

#[test]
fn a_sticky_directory_holds_the_directories_of_those_who_count() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let (_kept, dir) = tree();
    fs::create_dir(dir.join("there/own")).unwrap();
    symlink("../file", dir.join("there/own/link")).unwrap();
    fs::set_permissions(dir.join("there"), fs::Permissions::from_mode(0o1777)).unwrap();
    let link = dir.join("there/own/link");
    assert_eq!(open(&link, None).unwrap().path, dir.join("there/file"));
    fs::set_permissions(dir.join("there"), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(open(&link, None), Err(SourceError::Link { .. })));
}
