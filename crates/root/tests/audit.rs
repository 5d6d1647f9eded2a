//! Trees with one fault each: it is found, and nothing else is.

mod common;
mod planting;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use common::needs_root;
use isol_core::{Gid, Uid};
use isol_root::audit::{Finding, Mended, Options, Severity, User, What, audit, mend};
use planting::{FAULTS, Planted, STRANGER, alone};

fn findings(dir: &Path, options: &Options) -> Vec<Finding> {
    let mut found = Vec::new();
    audit(dir, options, &AtomicU64::new(0), &mut |finding| found.push(finding)).unwrap();
    found
}

fn options() -> Options {
    let mut options = Options::default();
    let (uid, gid) = (Uid::new(STRANGER).unwrap(), Gid::new(STRANGER).unwrap());
    options.user = Some(User::new(uid, gid).unwrap());
    options
}

/// What was found and where, in a form that can be compared.
fn told(tree: &Planted, findings: &[Finding]) -> Vec<(What, String)> {
    let below = |finding: &Finding| match &finding.path {
        None => "-".to_owned(),
        Some(path) => match path.strip_prefix(&tree.root) {
            Ok(below) => isol_sys::quote::escaped(below).to_string(),
            Err(_) => "..".to_owned(),
        },
    };
    let mut told: Vec<_> = findings.iter().map(|f| (f.what, below(f))).collect();
    told.sort();
    told
}

#[test]
fn a_tree_without_a_fault_is_clean() {
    if !needs_root() {
        return;
    }
    let _alone = alone();
    let tree = Planted::new();
    assert_eq!(findings(&tree.root, &options()), []);
}

#[test]
fn each_planted_fault_is_found_and_nothing_besides() {
    if !needs_root() {
        return;
    }
    let _alone = alone();
    assert!(FAULTS.len() >= 60, "{} faults", FAULTS.len());
    let (mut missed, mut kinds) = (Vec::new(), BTreeSet::new());
    for fault in FAULTS {
        let tree = Planted::new();
        (fault.plant)(&tree);
        let found = findings(&tree.root, &options());
        let mut expected: Vec<_> = fault.found.iter().map(|(w, p)| (*w, (*p).to_owned())).collect();
        expected.sort();
        if told(&tree, &found) != expected {
            missed.push(format!("{}: found {found:#?}, expected {expected:?}", fault.name));
        }
        kinds.extend(expected.iter().map(|(what, _)| *what));
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    let never: Vec<_> = What::ALL.iter().filter(|what| !kinds.contains(what)).collect();
    // These have tests of their own: they need a file system of a user's, the host's crontabs, all of its files, and
    // somebody who can't read.
    assert_eq!(
        never,
        [&What::UserMount, &What::Unread, &What::Scheduled, &What::FileOutside],
        "no fault of these kinds is planted"
    );
}

#[test]
fn what_is_mended_is_not_found_again() {
    if !needs_root() {
        return;
    }
    let _alone = alone();
    let mut mended = BTreeSet::new();
    for fault in FAULTS {
        let tree = Planted::new();
        (fault.plant)(&tree);
        let found = findings(&tree.root, &options());
        let Ok(root) = isol_root::Sysroot::open(&tree.root) else { panic!() };
        let results: Vec<_> = found.iter().map(|finding| mend(&root, finding)).collect();
        let left: Vec<_> = found
            .iter()
            .zip(&results)
            .filter(|(_, result)| matches!(result, Mended::Left(_)))
            .map(|(finding, _)| finding.clone())
            .collect();
        mended.extend(
            found
                .iter()
                .zip(&results)
                .filter(|(_, r)| matches!(r, Mended::Done(_)))
                .map(|(f, _)| f.what),
        );
        assert_eq!(
            told(&tree, &findings(&tree.root, &options())),
            told(&tree, &left),
            "{}: {results:?}",
            fault.name
        );
    }
    let expected = [
        What::UnsafeRoot,
        What::WritableProgram,
        What::WritableDirectory,
        What::SetUid,
        What::SetGid,
        What::Capabilities,
        What::NoSticky,
    ];
    assert_eq!(mended.into_iter().collect::<Vec<_>>(), expected);
}

/// Those that only take permissions away, or the thing itself: the command does what it says it does.
#[test]
fn the_commands_mend() {
    if !needs_root() {
        return;
    }
    let _alone = alone();
    let mut without = BTreeSet::new();
    for fault in FAULTS {
        let tree = Planted::new();
        (fault.plant)(&tree);
        let found = findings(&tree.root, &options());
        without.extend(found.iter().filter(|f| f.mend.is_none()).map(|f| (f.what, fault.name)));
        // A directory above may be the machine's.
        let commands: Vec<_> = found
            .iter()
            .filter(|finding| finding.what != What::NoExec)
            .filter_map(|finding| finding.mend.as_ref())
            // The command is not here.
            .filter(|command| !command.starts_with("isol "))
            .collect();
        if commands.is_empty() || commands.len() < found.len() {
            continue;
        }
        commands.iter().for_each(|command| common::run_mend(command));
        // A process takes its time to die.
        for left in (0..100).rev() {
            let found = findings(&tree.root, &options());
            if found.is_empty() {
                break;
            }
            assert!(left > 0, "{}: {commands:?} left {found:#?}", fault.name);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
    // What lies outside, and a directory that is everybody's on purpose: nobody but the administrator knows.
    let known = [
        (What::UnsafeAbove, "a sticky one"),
        (What::LinkAbove, "a link above"),
        (What::WritableDirectory, "a program in /tmp"),
    ];
    assert_eq!(without, BTreeSet::from(known));
}

#[test]
fn what_can_not_be_read_is_told() {
    if !needs_root() {
        return;
    }
    let _alone = alone();
    let tree = Planted::new();
    common::chmod(tree.dir("var/closed", 0o755), 0o700);
    tree.file("var/closed/su", 0o4755);
    // Seen by somebody who is not root: the test itself, without its rights, in a process of its own.
    let own = std::env::current_exe().unwrap();
    let output = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"])
        .arg(tree.copy_of(&own))
        .args(["--exact", "as_a_stranger", "--nocapture"])
        .env("ISOL_TEST_AUDIT", &tree.root)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("unread Unchecked var/closed Permission denied"), "{output:?}");
    assert!(!text.contains("set-uid"), "{text}");
}

/// Not a test of its own: what the one above runs.
#[test]
#[allow(clippy::print_stdout)]
fn as_a_stranger() {
    let Some(root) = std::env::var_os("ISOL_TEST_AUDIT") else { return };
    for finding in findings(root.as_ref(), &Options::default()) {
        let path = finding.path.unwrap();
        let below = path.strip_prefix(&root).unwrap().display();
        println!("{} {:?} {below} {}", finding.what.id(), finding.severity, finding.detail);
        assert_eq!(finding.severity, Severity::Unchecked);
    }
}
