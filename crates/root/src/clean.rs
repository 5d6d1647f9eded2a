//! The slow look at the whole of a tree: is there anything in it by which a program could gain what it does not have?
//!
//! Set-id files and file capabilities give privileges to whoever executes them; device nodes give the device; and a file
//! that has a further name outside the tree is a way out, if anybody but root may write to it. Other file systems that are
//! mounted in the tree are reported and not looked into.

mod descent;
mod devices;
mod links;

use std::fmt;
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use isol_sys::quote::shell;
use nix::errno::Errno;
use nix::fcntl::openat;
use nix::sys::stat::Mode;
use thiserror::Error;

use crate::walk::{READ, Sysroot, WalkError};
use descent::{Descent, Seen};
use devices::Devices;
use links::Links;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// The tree is not clean with it.
    Unclean,
    /// It was not looked at, so nobody knows.
    Unchecked,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unclean => "unclean",
            Self::Unchecked => "unchecked",
        })
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum What {
    /// A regular file with the set-uid bit.
    SetUid,
    /// A regular file with the set-gid bit.
    SetGid,
    /// A file with capabilities.
    Capabilities,
    /// A device beyond the harmless ones.
    Device,
    /// A file with a name outside the tree, which others than root may write to.
    OutsideLink,
    /// Another file system is mounted there.
    Mount,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SetUid => "set-uid file",
            Self::SetGid => "set-gid file",
            Self::Capabilities => "file with capabilities",
            Self::Device => "device node",
            Self::OutsideLink => "writable file that has another name outside",
            Self::Mount => "another file system is mounted here and was not looked into",
        })
    }
}

/// Something found in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where, as it is reached from outside.
    pub path: PathBuf,
    /// What it is.
    pub what: What,
    /// The command that mends it, where there is one.
    pub mend: Option<String>,
}

/// What is allowed in the tree.
#[derive(Debug, Clone, Default)]
pub struct CleanOptions {
    /// Device nodes of the host's whose like may be in the tree, besides null, zero, full, random, urandom and tty.
    pub allowed_devices: Vec<PathBuf>,
}

/// Why a tree could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CleanError {
    /// Something could not be opened or read.
    #[error(transparent)]
    Walk(#[from] WalkError),
}

/// Finds everything unclean in the tree `root`. Nothing is followed out of it, and what is created meanwhile may be missed.
///
/// # Errors
/// [`CleanError`] if any part of the tree can't be read: a tree that was seen in part is not clean.
///
/// # References
/// inode(7), capabilities(7), hier(7)
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let root = isol_root::Sysroot::open(dir.path())?;
/// assert!(isol_root::clean::find_unclean(&root, &Default::default())?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn find_unclean(root: &Sysroot, options: &CleanOptions) -> Result<Vec<Finding>, CleanError> {
    let devices = Devices::of_host(&options.allowed_devices)?;
    let mut links = Links::default();
    let mut found = Vec::new();
    let mut descent = Descent::new(root)?;
    while let Some(seen) = descent.next()? {
        look(&seen, &devices, &mut links, &mut found)?;
    }
    for path in links.outside() {
        found.push(Finding {
            severity: Severity::Unclean,
            path,
            what: What::OutsideLink,
            mend: None,
        });
    }
    found.sort_by(|a, b| (a.severity, &a.path).cmp(&(b.severity, &b.path)));
    Ok(found)
}

fn look(
    seen: &Seen<'_>,
    devices: &Devices,
    links: &mut Links,
    found: &mut Vec<Finding>,
) -> Result<(), CleanError> {
    let mut add = |what: What, mend: Option<String>| {
        let severity = if what == What::Mount { Severity::Unchecked } else { Severity::Unclean };
        found.push(Finding { severity, path: seen.path(), what, mend });
    };
    let command = |command: &str| Some(format!("{command} {}", shell(seen.path())));
    let meta = &seen.meta;
    if seen.is_mount {
        add(What::Mount, command("umount"));
    } else if meta.is_file() {
        if meta.mode & 0o4000 != 0 {
            add(What::SetUid, command("chmod u-s"));
        }
        if meta.mode & 0o2000 != 0 {
            add(What::SetGid, command("chmod g-s"));
        }
        // Without an x bit nobody executes it; and opening every file would take many times as long.
        if meta.mode & 0o111 != 0 && has_capabilities(seen, meta)? {
            add(What::Capabilities, command("setcap -r"));
        }
        links.add(meta, || seen.path());
    } else if (meta.is_char_device() || meta.is_block_device()) && !devices.allow(meta) {
        add(What::Device, command("rm"));
    }
    Ok(())
}

fn has_capabilities(seen: &Seen<'_>, meta: &Meta) -> Result<bool, WalkError> {
    let failed = |source| WalkError::Io { path: seen.path(), source };
    let file = match openat(seen.dir, seen.name, READ, Mode::empty()) {
        Ok(file) => file,
        // Removed since; it is not in the tree.
        Err(Errno::ENOENT) => return Ok(false),
        Err(e) => return Err(failed(e)),
    };
    if !Meta::of(&file).map_err(failed)?.same_file(meta) {
        return Err(WalkError::Changed { path: seen.path() });
    }
    isol_sys::xattr::has_file_capabilities(&file).map_err(failed)
}

/// The path in the tree as it is reached from outside.
fn outside(root: &Path, names: &Path) -> PathBuf {
    root.join(names)
}

#[cfg(test)]
mod tests;
