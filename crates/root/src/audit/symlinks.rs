//! Symbolic links that lead out of the tree. They are read, and what they say is looked up; nothing is opened through one.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use isol_sys::below;
use isol_sys::brief::Brief;
use nix::errno::Errno;
use nix::fcntl::readlinkat;

use super::crew::Seen;
use super::rules::Mark;
use crate::walk::{Sysroot, WalkError};

/// What the link says, if it leads out of the tree to something, and to nothing inside.
pub(super) fn leads_outside(root: &Sysroot, seen: &Seen<'_, Mark>) -> nix::Result<Option<PathBuf>> {
    let target = match readlinkat(seen.dir, seen.name) {
        Ok(target) => PathBuf::from(target),
        // No link any more.
        Err(Errno::EINVAL) => return Ok(None),
        Err(e) => return Err(e),
    };
    if !escapes(&target, seen.place.depth) || exists_inside(root, &seen.place.path(), &target)? {
        return Ok(None);
    }
    match Brief::behind(seen.dir, seen.name) {
        Ok(_) => Ok(Some(target)),
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EACCES) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Whether a link in a directory at this depth goes above the root, by its words alone.
fn escapes(target: &Path, mut depth: usize) -> bool {
    if target.is_absolute() {
        return true;
    }
    for part in target.components() {
        match part {
            Component::ParentDir => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return true,
            },
            Component::Normal(_) => depth += 1,
            _ => {}
        }
    }
    false
}

fn exists_inside(root: &Sysroot, dir: &Path, target: &Path) -> nix::Result<bool> {
    let path = Path::new("/").join(dir).join(target);
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    match below::exists_inside(root, &name) {
        Ok(Some(exists)) => return Ok(exists),
        // Longer than a path can be; but not for who takes it part by part.
        Ok(None) | Err(Errno::ENAMETOOLONG) => {}
        Err(e) => return Err(e),
    }
    match root.walk(&path) {
        Ok(_) => Ok(true),
        Err(WalkError::Io { source: source @ (Errno::EACCES | Errno::EIO), .. }) => Err(source),
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_go_above_the_root_are_told_by_their_words() {
        for (target, depth, expected) in [
            ("/etc/passwd", 5, true),
            ("../x", 1, false),
            ("../x", 0, true),
            ("a/../../x", 0, true),
            ("a/../../x", 1, false),
            ("x", 0, false),
        ] {
            assert_eq!(escapes(target.as_ref(), depth), expected, "{target} at {depth}");
        }
    }
}
