//! What only root can plant in a tree.

mod common;

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{chmod, needs, needs_root, run_mend};
use isol_root::Sysroot;
use isol_root::audit::{Finding, Options, Severity, What, unclean};
use nix::sys::stat::{Mode, SFlag};

fn found(dir: &Path) -> Vec<Finding> {
    unclean(&Sysroot::open(dir).unwrap(), &Options::default()).unwrap()
}

fn node(path: &Path, kind: SFlag, like: &str) {
    let number = std::os::unix::fs::MetadataExt::rdev(&fs::metadata(like).unwrap());
    nix::sys::stat::mknod(path, kind, Mode::S_IRUSR, number as nix::libc::dev_t).unwrap();
}

#[test]
fn devices_are_known_by_their_numbers() {
    if !needs_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for name in ["null", "zero", "full", "random", "urandom", "tty"] {
        node(&dir.path().join(name), SFlag::S_IFCHR, &format!("/dev/{name}"));
    }
    assert_eq!(found(dir.path()), []);
    // A block device with the number of a harmless character device, and a harmless name for something else.
    for (name, kind, like) in
        [("block", SFlag::S_IFBLK, "/dev/null"), ("zero2", SFlag::S_IFCHR, "/dev/ptmx")]
    {
        let path = dir.path().join(name);
        node(&path, kind, like);
        let [
            Finding {
                severity: Severity::High,
                what: What::Device,
                path: Some(named),
                mend: Some(mend),
                ..
            },
        ] = &found(dir.path())[..]
        else {
            panic!()
        };
        assert_eq!(*named, path);
        run_mend(mend);
        assert_eq!(found(dir.path()), []);
    }
    node(&dir.path().join("ptmx"), SFlag::S_IFCHR, "/dev/ptmx");
    let mut allowed = Options::default();
    allowed.devices = vec![PathBuf::from("/dev/ptmx")];
    let root = Sysroot::open(dir.path()).unwrap();
    assert_eq!(unclean(&root, &allowed).unwrap(), []);
    for none in ["/no/such", "/etc/passwd"] {
        allowed.devices.push(PathBuf::from(none));
        assert!(unclean(&root, &allowed).is_err(), "{none} is no device");
        allowed.devices.pop();
    }
}

#[test]
fn capabilities_are_found() {
    let tools = needs(Command::new("setcap").arg("-h").output().is_ok(), "setcap");
    if !needs_root() || !tools {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    fs::write(&file, "").unwrap();
    chmod(&file, 0o755);
    assert!(Command::new("setcap").arg("cap_chown+ep").arg(&file).status().unwrap().success());
    let findings = found(dir.path());
    assert_eq!((findings.len(), findings[0].what), (1, What::Capabilities));
    run_mend(findings[0].mend.as_ref().unwrap());
    assert_eq!(found(dir.path()), []);
}

#[test]
fn roots_own_files_may_have_names_outside() {
    if !needs_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("f"), "").unwrap();
    chmod(root.join("f"), 0o644);
    fs::hard_link(root.join("f"), dir.path().join("f")).unwrap();
    assert_eq!(found(&root), []);
    // Its owner could make it writable.
    chown(root.join("f"), Some(61184), None).unwrap();
    chmod(root.join("f"), 0o444);
    assert_eq!(found(&root)[0].what, What::OutsideLink);
}

#[test]
fn mounts_are_reported_and_not_entered() {
    if !needs_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let point = dir.path().join("mnt point");
    fs::create_dir(&point).unwrap();
    assert!(
        Command::new("mount")
            .args(["-t", "tmpfs", "isol-test"])
            .arg(&point)
            .status()
            .unwrap()
            .success()
    );
    fs::write(point.join("su"), "").unwrap();
    chmod(point.join("su"), 0o4755);
    let findings = found(dir.path());
    run_mend(findings[0].mend.as_ref().unwrap());
    assert_eq!(
        (findings.len(), findings[0].what, findings[0].severity),
        (1, What::Mount, Severity::Unchecked)
    );
    assert_eq!(found(dir.path()), []);
}
