//! What is mounted in a tree.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use isol_sys::brief::Brief;
use isol_sys::listing::Kind;
use nix::errno::Errno;

use super::KeepError;
use super::make::open_dir;
use crate::walk::Sysroot;

/// Refuses a place on which something is mounted, or that is in something mounted, a part of the same file system too:
/// rename(2) does not go there. Whatever is not there yet has nothing mounted on it.
pub(super) fn check(root: &Sysroot, path: &Path) -> Result<(), KeepError> {
    let mut below = PathBuf::new();
    let mut dir: Option<OwnedFd> = None;
    for name in path.iter().skip(1) {
        below.push(name);
        let shown = root.path().join(&below);
        let held = dir.as_ref().map_or(root.as_fd(), AsFd::as_fd);
        let failed = KeepError::io("look at", &shown);
        let text = CString::new(name.as_bytes()).map_err(|_| failed(Errno::EINVAL))?;
        let brief = match Brief::at(held, &text) {
            Ok(brief) => brief,
            Err(Errno::ENOENT) => return Ok(()),
            Err(e) => return Err(failed(e)),
        };
        // Of a file on an overlay the device says nothing.
        let elsewhere = brief.kind() == Kind::Directory && brief.dev != root.meta().dev;
        if brief.mounted == Some(true) || elsewhere {
            return Err(KeepError::Mounted { path: shown });
        }
        if brief.kind() != Kind::Directory {
            return Ok(());
        }
        dir = Some(open_dir(held, Path::new(name)).map_err(failed)?);
    }
    Ok(())
}
