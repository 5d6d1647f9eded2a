//! Nothing is known of it.

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use super::Window;

pub(super) fn is_proc(_fd: BorrowedFd<'_>) -> nix::Result<bool> {
    Ok(false)
}

pub(super) fn window(_fd: BorrowedFd<'_>) -> nix::Result<Option<Window>> {
    Ok(None)
}

pub(super) fn windows_below(_path: &Path) -> nix::Result<Vec<(PathBuf, Window)>> {
    Ok(Vec::new())
}

pub(super) fn mounted_by(_fd: BorrowedFd<'_>) -> nix::Result<Option<u32>> {
    Ok(None)
}
