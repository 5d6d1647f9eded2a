//! What a run that failed could leave behind.

use std::collections::BTreeSet;
use std::io;

use isol_core::Uid;
use isol_sys::state::{RANGE_FILE, StateDir};
use isol_sys::{attempts, jail, processes};

use crate::Site;

/// What is there: processes, state, mounts, as words that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftovers(BTreeSet<String>);

impl Leftovers {
    /// Looks at processes under the site's uid, at a socket in its root, at the state directories, at mounts and jails.
    ///
    /// # Errors
    /// What could not be looked at: what nobody has looked at is not gone.
    pub fn look(site: &Site) -> io::Result<Self> {
        let mut there = BTreeSet::new();
        let uid = Uid::new(site.uid()).ok_or_else(|| io::Error::other("no uid"))?;
        for process in processes::under(uid)? {
            there.insert(format!("process {} ({})", process.pid, process.name));
        }
        if let Some(inside) = isol_core::Syslog::inside(isol_sys::os::HOST) {
            let socket = site.root().join(inside);
            if std::fs::symlink_metadata(&socket).is_ok() {
                there.insert(format!("socket {}", socket.display()));
            }
        }
        for state in StateDir::existing() {
            there.extend(stale(&state)?);
        }
        if let Ok(mounts) = attempts::mounts() {
            there.extend(mounts.into_iter().map(|mount| format!("mount {mount}")));
        }
        there.extend(jail::list()?.into_iter().map(|jail| format!("jail {jail}")));
        Ok(Self(there))
    }

    /// What is there and was not before.
    #[must_use]
    pub fn beyond(&self, before: &Self) -> Vec<String> {
        self.0.difference(&before.0).cloned().collect()
    }
}

/// What of a state directory no living run holds: what one holds is its own, and none of this run is left to hold any.
fn stale(state: &StateDir) -> io::Result<Vec<String>> {
    let free: BTreeSet<String> = state
        .stale()
        .map_err(io::Error::other)?
        .filter_map(Result::ok)
        .map(|lock| {
            let name = lock.name().to_owned();
            lock.abandon();
            name
        })
        .collect();
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(state.path())? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    let is_held = |name: &str| {
        let thing =
            [".lock", ".gone"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        names.contains(&format!("{thing}.lock")) && !free.contains(thing)
    };
    // A file of single bytes that are locked stays.
    let left = names.iter().filter(|name| *name != RANGE_FILE && !is_held(name));
    Ok(left.map(|name| state.path().join(name).display().to_string()).collect())
}
