//! The paths that the user adds: files, links, and directories with everything below.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use super::tree::Tree;
use super::{ClosureError, ExtraPath, Place};
use crate::elf::Elf;
use crate::walk::{Kind, Sysroot, Trail, WalkError};

/// An ELF file among the extras.
pub(super) struct Extra {
    pub(super) path: PathBuf,
    pub(super) elf: Elf,
    pub(super) meta: Meta,
    pub(super) executable: bool,
    /// Whether the user named it, and did not only name a directory above it.
    pub(super) named: bool,
}

/// Adds `path` and everything below to `tree`; returns the ELF files among it.
pub(super) fn collect(
    root: &Sysroot,
    extra: &ExtraPath,
    tree: &mut Tree,
    skipped: &mut Vec<PathBuf>,
) -> Result<Vec<Extra>, ClosureError> {
    let path = &extra.path;
    let trail = match root.walk(path) {
        Ok(trail) => trail,
        Err(e) if e.is_missing() => {
            return Err(ClosureError::ExtraMissing {
                path: path.to_owned(),
                place: Place::of(root),
            });
        }
        Err(e) => return Err(e.into()),
    };
    tree.add(&trail);
    let mut found = Vec::new();
    let mut todo = Vec::new();
    match trail.last().kind {
        Kind::Directory if extra.deep => todo.push(trail.path().to_owned()),
        Kind::Directory => {}
        // By the name that the user gave: it is the one that will be opened.
        Kind::File => found.extend(elf(&trail, &Path::new("/").join(path), true)?),
        _ => skipped.push(trail.path().to_owned()),
    }
    while let Some(dir) = todo.pop() {
        let trail = unlinked(root, &dir)?;
        for name in names(&trail)? {
            let path = dir.join(OsStr::from_bytes(name.as_bytes()));
            let Some(held) = trail.dir() else { continue };
            let io = |source| WalkError::Io { path: path.clone(), source };
            let meta = Meta::at(held, name.as_c_str()).map_err(io)?;
            if meta.is_symlink() {
                // Not followed: a link in somebody else's directory could bring any file of the host's along.
                let target =
                    PathBuf::from(nix::fcntl::readlinkat(held, name.as_c_str()).map_err(io)?);
                let is_roots =
                    extra.follow && meta.uid == 0 && !somebody_else_s(&trail.last().meta);
                match root.walk(&path) {
                    Ok(led) if is_roots && led.last().kind == Kind::File => {
                        tree.add(&led);
                        found.extend(elf(&led, &path, false)?);
                    }
                    _ => tree.add_link(&path, target),
                }
            } else if meta.is_dir() {
                tree.add(&unlinked(root, &path)?);
                todo.push(path);
            } else if meta.is_file() {
                let file = unlinked(root, &path)?;
                tree.add(&file);
                found.extend(elf(&file, &path, false)?);
            } else {
                skipped.push(path);
            }
        }
    }
    Ok(found)
}

fn somebody_else_s(dir: &Meta) -> bool {
    dir.uid != 0 || dir.writable_by_others()
}

/// The thing at `path`, unless somebody has put a link in its place since it was found.
fn unlinked(root: &Sysroot, path: &Path) -> Result<Trail, WalkError> {
    let trail = root.walk(path)?;
    if trail.path() == path { Ok(trail) } else { Err(WalkError::Changed { path: path.to_owned() }) }
}

fn names(trail: &Trail) -> Result<Vec<std::ffi::CString>, WalkError> {
    let io = |source| WalkError::Io { path: trail.path().to_owned(), source };
    let Some(held) = trail.dir() else {
        return Err(WalkError::Changed { path: trail.path().to_owned() });
    };
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut dir = Dir::openat(held, ".", flags, Mode::empty()).map_err(io)?;
    let mut names = Vec::new();
    for entry in dir.iter() {
        let name = entry.map_err(io)?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn elf(trail: &Trail, path: &Path, named: bool) -> Result<Option<Extra>, WalkError> {
    let meta = trail.last().meta;
    let elf = Elf::read(&trail.open_file()?).ok();
    Ok(elf.map(|elf| Extra {
        path: path.to_owned(),
        elf,
        meta,
        executable: meta.mode & 0o111 != 0,
        named,
    }))
}
