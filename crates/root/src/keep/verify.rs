//! In what a tree differs from its manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use isol_sys::xattr;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;

use super::make::{OpenDirs, digest, hexadecimal};
use super::place::Place;
use super::{Entry, EntryType, KeepError, Manifest, journal};
use crate::walk::{READ, Sysroot};

/// How something differs from what the manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum How {
    /// It is not there.
    Missing,
    /// The manifest does not know it.
    Added,
    /// It is another kind of file.
    Type,
    /// It says something else, or is another device.
    Content,
    /// Its permission bits.
    Mode,
    /// Its owner or its group.
    Owner,
    /// The privileges that it gives to whoever executes it.
    Capabilities,
    /// It has another name, in the tree or outside.
    Links,
}

impl How {
    /// Its name, in JSON too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Added => "added",
            Self::Type => "type",
            Self::Content => "content",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::Capabilities => "capabilities",
            Self::Links => "links",
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Where, as seen from inside; `/` is the root itself.
    pub path: PathBuf,
    /// How.
    pub how: How,
    /// What the manifest says, and what is there.
    pub detail: String,
}

/// Compares the tree `dir` with its manifest. What is in a directory for programs to write to is not looked at.
///
/// A change that a killed process has begun is carried through, or taken back, before.
///
/// # Errors
/// [`KeepError`] if there is no manifest, or something can't be read: a tree that was seen in part is not verified.
///
/// # References
/// fstatat(2), fgetxattr(2)
///
/// ```no_run
/// for difference in isol_root::keep::verify::verify("/srv/www".as_ref())? {
///     println!("{} {}", difference.how, difference.path.display());
/// }
/// # Ok::<(), isol_root::keep::KeepError>(())
/// ```
pub fn verify(dir: &Path) -> Result<Vec<Difference>, KeepError> {
    let place = Place::of(dir)?;
    let lock = place.lock()?;
    journal::recover(&place)?;
    let root = place.open()?;
    let manifest = place.manifest_needed()?;
    let found = compare(&root, &manifest)?;
    lock.release()?;
    Ok(found)
}

fn compare(root: &Sysroot, manifest: &Manifest) -> Result<Vec<Difference>, KeepError> {
    let mut found = Vec::new();
    top(root, &mut found)?;
    let mut children: BTreeMap<&Path, BTreeSet<&OsStr>> = BTreeMap::new();
    for entry in &manifest.entries {
        let (Some(above), Some(name)) = (entry.path.parent(), entry.path.file_name()) else {
            continue;
        };
        children.entry(above).or_default().insert(name);
    }
    let known = |path: &Path| children.get(path).cloned().unwrap_or_default();
    let mut open = OpenDirs::new(root.as_fd());
    unknown(root, &mut open, Path::new("/"), &known(Path::new("/")), &mut found)?;
    for entry in &manifest.entries {
        let mut state = State { root, open: &mut open, found: &mut found };
        let there = state.look(entry, &mut |_| true)?;
        if there && entry.kind == EntryType::Directory && !entry.is_for_writing() {
            unknown(root, &mut open, &entry.path, &known(&entry.path), &mut found)?;
        }
    }
    found.sort_by(|a, b| (&a.path, a.how).cmp(&(&b.path, b.how)));
    Ok(found)
}

/// Whether what is in the tree is what an entry says. Links to it do not matter here.
pub(super) fn is_as_noted(root: &Sysroot, entry: &Entry) -> Result<bool, KeepError> {
    let (mut open, mut found) = (OpenDirs::new(root.as_fd()), Vec::new());
    State { root, open: &mut open, found: &mut found }.look(entry, &mut |how| how != How::Links)?;
    Ok(found.is_empty())
}

/// The root itself: root's, and 0755.
fn top(root: &Sysroot, found: &mut Vec<Difference>) -> Result<(), KeepError> {
    let meta = Meta::of(root).map_err(KeepError::io("fstat", root.path()))?;
    if meta.permissions() != 0o755 {
        let detail = format!("0755, is {:04o}", meta.permissions());
        found.push(Difference { path: PathBuf::from("/"), how: How::Mode, detail });
    }
    if (meta.uid, meta.gid) != (0, 0) {
        let detail = format!("0:0, is {}:{}", meta.uid, meta.gid);
        found.push(Difference { path: PathBuf::from("/"), how: How::Owner, detail });
    }
    Ok(())
}

/// What is in a directory beside what the manifest knows.
fn unknown(
    root: &Sysroot,
    open: &mut OpenDirs<'_>,
    dir: &Path,
    known: &BTreeSet<&OsStr>,
    found: &mut Vec<Difference>,
) -> Result<(), KeepError> {
    let failed = KeepError::io("read", &root.path().join(dir.strip_prefix("/").unwrap_or(dir)));
    // The directory of something that would be in it.
    let held = open.parent_of(&dir.join("x")).map_err(&failed)?;
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut listed = Dir::openat(held, ".", flags, Mode::empty()).map_err(&failed)?;
    for name in listed.iter() {
        let name = name.map_err(&failed)?.file_name().to_owned();
        let name = OsStr::from_bytes(name.as_bytes());
        if name != "." && name != ".." && !known.contains(name) {
            let path = dir.join(name);
            found.push(Difference { path, how: How::Added, detail: String::new() });
        }
    }
    Ok(())
}

struct State<'a, 'b> {
    root: &'a Sysroot,
    open: &'a mut OpenDirs<'b>,
    found: &'a mut Vec<Difference>,
}

impl State<'_, '_> {
    /// Looks at one entry; false if it is not there, or is something else.
    fn look(
        &mut self,
        entry: &Entry,
        counts: &mut dyn FnMut(How) -> bool,
    ) -> Result<bool, KeepError> {
        let shown = self.root.path().join(entry.path.strip_prefix("/").unwrap_or(&entry.path));
        let found = &mut *self.found;
        let mut differs = |how: How, detail: String| {
            if counts(how) {
                found.push(Difference { path: entry.path.clone(), how, detail });
            }
        };
        let parent = match self.open.parent_of(&entry.path) {
            Ok(parent) => parent,
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EMLINK) => {
                differs(How::Missing, String::new());
                return Ok(false);
            }
            Err(e) => return Err(KeepError::io("open the directory of", &shown)(e)),
        };
        let name = Path::new(entry.path.file_name().unwrap_or_default());
        let meta = match Meta::at(parent, name) {
            Ok(meta) => meta,
            Err(Errno::ENOENT) => {
                differs(How::Missing, String::new());
                return Ok(false);
            }
            Err(e) => return Err(KeepError::io("look at", &shown)(e)),
        };
        let kind = kind(&meta);
        if kind != Some(entry.kind) {
            differs(How::Type, String::new());
            return Ok(false);
        }
        if let Some(mode) = entry.mode
            && meta.permissions() != mode
        {
            differs(How::Mode, format!("{mode:04o}, is {:04o}", meta.permissions()));
        }
        if (meta.uid, meta.gid) != (entry.uid, entry.gid) {
            let detail = format!("{}:{}, is {}:{}", entry.uid, entry.gid, meta.uid, meta.gid);
            differs(How::Owner, detail);
        }
        match entry.kind {
            EntryType::Directory => {}
            EntryType::Symlink => {
                let target = readlinkat(parent, name).map_err(KeepError::io("readlink", &shown))?;
                if Some(Path::new(&target)) != entry.target.as_deref() {
                    differs(How::Content, format!("leads to {}", target.display()));
                }
            }
            EntryType::Device => {
                if Some(meta.rdev) != entry.device {
                    differs(How::Content, String::from("another device"));
                }
            }
            EntryType::File => {
                if meta.nlink != 1 {
                    differs(How::Links, format!("it has {} names", meta.nlink));
                }
                let file = openat(parent, name, READ, Mode::empty())
                    .map_err(KeepError::io("open", &shown))?;
                let file = std::fs::File::from(file);
                let caps = xattr::file_capabilities(&file)
                    .map_err(KeepError::io("fgetxattr", &shown))?
                    .map(|value| hexadecimal(&value));
                if caps != entry.capabilities {
                    differs(How::Capabilities, caps.unwrap_or_else(|| String::from("none")));
                }
                if Some(meta.size) != entry.size {
                    differs(How::Content, format!("{} bytes", meta.size));
                } else {
                    let (_, sum) = digest(file).map_err(KeepError::std("read", &shown))?;
                    if Some(&sum) != entry.sha256.as_ref() {
                        differs(How::Content, format!("SHA-256 {sum}"));
                    }
                }
            }
        }
        Ok(true)
    }
}

fn kind(meta: &Meta) -> Option<EntryType> {
    if meta.is_dir() {
        Some(EntryType::Directory)
    } else if meta.is_file() {
        Some(EntryType::File)
    } else if meta.is_symlink() {
        Some(EntryType::Symlink)
    } else if meta.is_char_device() {
        Some(EntryType::Device)
    } else {
        None
    }
}
