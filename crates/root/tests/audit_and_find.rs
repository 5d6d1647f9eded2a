//! What an audit finds in the machine's own /usr is what find(1) and getcap(8) find there; or in another tree, such as
//! one of debootstrap's, that `ISOL_TEST_TREE` names.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicU64;

use common::{needs, needs_root};
use isol_root::audit::{Finding, Options, What, audit};

fn tree() -> String {
    std::env::var("ISOL_TEST_TREE").unwrap_or_else(|_| "/usr".to_owned())
}

const PROGRAM: &str = r"-type f ( -perm /111 -o -name *.so -o -name *.so.* )";
/// find knows no device by its number.
const HARMLESS: &str = "! -path */dev/null ! -path */dev/zero ! -path */dev/full ! -path */dev/random \
    ! -path */dev/urandom ! -path */dev/tty";
const FOREIGN: &str = "( ! -uid 0 -o -perm /022 )";

/// Each kind of finding, and the expression that finds the same.
fn expressions() -> Vec<(What, String)> {
    vec![
        (What::SetUid, "-type f -perm -4000".into()),
        (What::SetGid, "-type f -perm -2000".into()),
        (What::Device, format!("( -type b -o -type c ) {HARMLESS}")),
        (What::Socket, "-type s".into()),
        (What::Fifo, "-type p".into()),
        (What::NoSticky, "-mindepth 1 -type d -perm -0002 ! -perm -1000".into()),
        (What::WritableProgram, format!("{PROGRAM} {FOREIGN}")),
        (What::WorldWritable, format!("-type f -perm -0002 ! ( {PROGRAM} )")),
    ]
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn by_find(expression: &str, print: &str) -> BTreeSet<String> {
    let tree = tree();
    let mut arguments = vec![tree.as_str(), "-xdev"];
    arguments.extend(expression.split_whitespace());
    arguments.extend(["-printf", print]);
    run("find", &arguments).split('\0').filter(|p| !p.is_empty()).map(str::to_owned).collect()
}

/// Files of which a name is elsewhere: by their numbers, for an audit names but one of each.
fn with_names_outside() -> BTreeSet<u64> {
    let mut files: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let listing =
        run("find", &[&tree(), "-xdev", "-type", "f", "-links", "+1", "-printf", "%i %n\n"]);
    for line in listing.lines() {
        let (ino, nlink) = line.split_once(' ').unwrap();
        let entry = files.entry(ino.parse().unwrap()).or_insert((nlink.parse().unwrap(), 0));
        entry.1 += 1;
    }
    files.into_iter().filter(|(_, (all, seen))| seen < all).map(|(ino, _)| ino).collect()
}

type Found = (BTreeMap<&'static str, BTreeSet<String>>, BTreeSet<u64>);

fn by_others() -> Found {
    let mut found: BTreeMap<_, _> =
        expressions().iter().map(|(what, e)| (what.id(), by_find(e, "%p\\0"))).collect();
    let capable = run("getcap", &["-r", &tree()]);
    let capable = capable.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned);
    found.insert(What::Capabilities.id(), capable.collect());
    (found, with_names_outside())
}

fn by_audit() -> Found {
    let mut all: Vec<Finding> = Vec::new();
    let mut tell = |finding| all.push(finding);
    audit(Path::new(&tree()), &Options::default(), &AtomicU64::new(0), &mut tell).unwrap();
    let kinds = expressions().into_iter().map(|(what, _)| what).chain([What::Capabilities]);
    let mut found: BTreeMap<_, _> = kinds.map(|what| (what.id(), BTreeSet::new())).collect();
    let mut linked = BTreeSet::new();
    for finding in all {
        let path = finding.path.unwrap();
        if matches!(finding.what, What::OutsideLink | What::SharedFile) {
            linked.insert(std::os::unix::fs::MetadataExt::ino(&path.symlink_metadata().unwrap()));
        } else if let Some(paths) = found.get_mut(finding.what.id()) {
            assert!(paths.insert(path.to_str().unwrap().to_owned()), "twice: {}", path.display());
        }
    }
    (found, linked)
}

#[test]
fn the_same_is_found() {
    let tools = needs(Command::new("getcap").arg("-h").output().is_ok(), "getcap");
    if !needs_root() || !tools {
        return;
    }
    // Other tests install packages meanwhile.
    for attempt in 1.. {
        let before = by_others();
        let audited = by_audit();
        if before == by_others() || attempt == 10 {
            assert!(!before.0[What::SetUid.id()].is_empty(), "a system without su(1)?");
            assert_eq!(audited, before);
            return;
        }
    }
}
