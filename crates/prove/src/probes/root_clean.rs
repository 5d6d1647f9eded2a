//! `root-clean`: set-id files, devices and hard links in the root.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use isol_core::{Guarantee, step_names};

use crate::scenario::Scenario;
use crate::trap::{Laid, Trap};
use crate::{Attack, Breach, Inside, Probe, Seen, Site};

const STEP: &[&str] = &[step_names::ROOT_CLEAN];

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::RootClean,
    attacks: &[Attack::new("set-id-files", look, Breach::When(|_, got| !got.is_empty()))
        .exempt("its control is the tree that it looks at: the traps put something into it")],
    traps: &[
        Trap::new("set-uid-file", STEP, |s, c| keep(s, c, "set-uid-root")),
        Trap::new("set-gid-file", STEP, |s, c| keep(s, c, "set-gid-other")),
        Trap::new("file-with-capabilities", STEP, |s, c| keep(s, c, "file-capabilities")),
        Trap::new("disk", STEP, |s, c| keep(s, c, "disk")),
        Trap::new("memory", STEP, |s, c| keep(s, c, "mem")),
        Trap::new("hard-link-from-outside", STEP, hard_link),
    ],
};

/// The set-id files in the root.
fn look(inside: &Inside<'_>) -> Seen {
    let mut found = Vec::new();
    walk(&inside.at("/"), &mut found);
    Seen::Got(found.join(" "))
}

fn walk(dir: &Path, found: &mut Vec<String>) {
    use std::os::unix::fs::MetadataExt;
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_dir() && found.len() < 8 {
            walk(&entry.path(), found);
        } else if meta.is_file() && meta.mode() & 0o6000 != 0 {
            found.push(entry.path().display().to_string());
        }
    }
}

/// Of all that is unclean in the root, only this stays there.
fn keep(site: &Site, _scenario: &mut Scenario, name: &str) -> io::Result<Laid> {
    let from = site.unclean(name);
    if fs::symlink_metadata(&from).is_err() {
        return Ok(Laid::not_here("it could not be planted here"));
    }
    let to = site.root().join("home").join(name);
    rename(from, to)
}

fn rename(from: PathBuf, to: PathBuf) -> io::Result<Laid> {
    fs::rename(&from, &to)?;
    Ok(Laid::undone_by(move || drop(fs::rename(&to, &from))))
}

/// A file outside that the uid may write to.
fn hard_link(site: &Site, _scenario: &mut Scenario) -> io::Result<Laid> {
    let outside = site.outside().join("linked");
    crate::site::put(&outside, b"outside", 0o666)?;
    let inside = site.root().join("home/linked");
    fs::hard_link(&outside, &inside)?;
    Ok(Laid::undone_by(move || {
        let _ = fs::remove_file(&inside);
        let _ = fs::remove_file(&outside);
    }))
}
