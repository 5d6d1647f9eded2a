//! What a run that failed could leave behind.

use std::collections::BTreeSet;
use std::io;

use isol_core::Uid;
use isol_sys::state::StateDir;
use isol_sys::{attempts, jail, processes};

use crate::Site;

/// What is there: processes, state, mounts, as words that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftovers(BTreeSet<String>);

impl Leftovers {
    /// Looks at processes under the site's uid, at the state directories, at mounts and jails.
    ///
    /// # Errors
    /// What could not be looked at: what nobody has looked at is not gone.
    pub fn look(site: &Site) -> io::Result<Self> {
        let mut there = BTreeSet::new();
        let uid = Uid::new(site.uid()).ok_or_else(|| io::Error::other("no uid"))?;
        for process in processes::under(uid)? {
            there.insert(format!("process {} ({})", process.pid, process.name));
        }
        for state in StateDir::existing() {
            for entry in std::fs::read_dir(state.path())? {
                there.insert(format!("{}", entry?.path().display()));
            }
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
