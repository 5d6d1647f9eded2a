use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use nix::errno::Errno;
use nix::unistd::geteuid;

use super::*;

fn problem(path: impl AsRef<Path>) -> RootDirError {
    open(path.as_ref()).expect_err("was opened")
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn paths_that_name_no_root_are_refused() {
    assert_eq!(problem("/"), RootDirError::Slash);
    assert_eq!(problem("//."), RootDirError::Slash);
    assert!(matches!(problem("usr"), RootDirError::Relative { .. }));
    assert!(matches!(problem("/usr/../usr"), RootDirError::DotDot { .. }));
    assert!(matches!(problem(""), RootDirError::Relative { .. }));
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn a_missing_component_is_named() {
    let error = problem("/usr/no-such-directory/below");
    assert_eq!(error.errno(), Some(Errno::ENOENT));
    assert_eq!(error.to_string(), "/usr/no-such-directory does not exist");
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn a_safe_directory_is_opened_and_normalised() {
    let root = open("//usr/./lib/".as_ref()).unwrap();
    assert_eq!(root.path(), Path::new("/usr/lib"));
    assert_eq!(root.id(), open("/usr/lib".as_ref()).unwrap().try_clone().unwrap().id());
    let flags = nix::fcntl::fcntl(&root, nix::fcntl::FcntlArg::F_GETFD).unwrap();
    assert_eq!(flags & nix::libc::FD_CLOEXEC, nix::libc::FD_CLOEXEC);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn a_sticky_directory_above_does_not_help() {
    // The tests' own scratch directory is below the sticky /tmp.
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let RootDirError::Unsafe { component, what, mode, mend, .. } = problem(dir.path()) else {
        panic!()
    };
    assert_eq!((component, what, mode), (PathBuf::from("/tmp"), Flaw::WritableByOthers, 0o1777));
    assert_eq!(mend.as_deref(), Some("chmod go-w /tmp"));
}

/// Below `/usr`, where every component is root's: needs root, so it is not run for anybody else.
#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn each_flaw_is_found_and_its_mend_mends_it() {
    if !geteuid().is_root() {
        assert!(std::env::var_os("ISOL_MUST_RUN").is_none(), "this test has to run as root");
        return;
    }
    let dir = tempfile::Builder::new().prefix("isol it's ").tempdir_in("/usr").unwrap();
    let inner = dir.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    fs::set_permissions(&inner, PermissionsExt::from_mode(0o755)).unwrap();
    open(&inner).unwrap();

    let run = |mend: &str| {
        assert!(std::process::Command::new("sh").args(["-c", mend]).status().unwrap().success())
    };
    for broken in [dir.path(), &inner] {
        for mode in [0o775, 0o757, 0o1777] {
            fs::set_permissions(broken, PermissionsExt::from_mode(mode)).unwrap();
            let error = problem(&inner);
            let RootDirError::Unsafe { component, what: Flaw::WritableByOthers, .. } = &error
            else {
                panic!("{error}")
            };
            assert_eq!(component, broken);
            run(error.mend().unwrap());
            open(&inner).unwrap();
        }
        chown(broken, Some(12345), Some(12345)).unwrap();
        fs::set_permissions(broken, PermissionsExt::from_mode(0o777)).unwrap();
        let error = problem(&inner);
        assert!(error.to_string().contains("owner 12345, group 12345, mode 0777"), "{error}");
        run(error.mend().unwrap());
        open(&inner).unwrap();
    }

    symlink("inner", dir.path().join("link")).unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    for (name, flaw) in [("link", Flaw::Symlink), ("file", Flaw::NotDirectory)] {
        for path in [dir.path().join(name), dir.path().join(name).join("below")] {
            let RootDirError::Unsafe { component, what, .. } = problem(path) else { panic!() };
            assert_eq!((component, what), (dir.path().join(name), flaw));
        }
    }
}
