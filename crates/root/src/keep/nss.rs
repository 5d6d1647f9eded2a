//! Looking up names of users and hosts: the C library's modules, and which of them to ask.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::KeepError;
use super::contents::{Contents, What, read};
use crate::closure::{Closure, ExtraPath, Why};
use crate::nsswitch;
use crate::walk::Sysroot;

const CONFIGURATION: &str = "/etc/nsswitch.conf";
/// Files and the resolver, and nobody else.
const DEFAULT: &str = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n\
                       services: files\nprotocols: files\n";

/// The modules that are asked for, with the directories that the closure's loader searches.
pub(super) fn modules(host: &Sysroot, closure: &Closure) -> Result<Vec<ExtraPath>, KeepError> {
    let own = closure.entries.iter().any(|entry| entry.path == Path::new(CONFIGURATION));
    let text = match own {
        true => read(host, Path::new(CONFIGURATION))?.unwrap_or_default(),
        false => DEFAULT.as_bytes().to_vec(),
    };
    let mut modules = BTreeSet::new();
    for name in nsswitch::modules(&String::from_utf8_lossy(&text)) {
        let file = nsswitch::file_name(&name);
        let in_dir = |dir: &PathBuf| {
            let path = dir.join(&file);
            host.walk(&path).is_ok().then_some(path)
        };
        // Those that are missing are a part of the C library, or not installed: `diagnose` says which.
        modules.extend(closure.consulted.iter().find_map(in_dir));
    }
    let extra = |path| ExtraPath { path, why: Why::Nss, deep: false, follow: false };
    Ok(modules.into_iter().map(extra).collect())
}

/// A configuration, unless one has been added.
pub(super) fn configure(contents: &mut Contents) -> Result<(), KeepError> {
    contents.put(Path::new(CONFIGURATION), What::Text { text: DEFAULT.into() }, Why::Nss)
}
