//! renameatx_np(2).

use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

use nix::NixPath;
use nix::errno::Errno;

pub(super) fn no_replace(
    from: BorrowedFd<'_>,
    old: &Path,
    to: BorrowedFd<'_>,
    new: &Path,
) -> nix::Result<()> {
    let done = old.with_nix_path(|old| {
        new.with_nix_path(|new| {
            // SAFETY: both names end in NUL and live until the call has returned; it writes nothing.
            unsafe {
                libc::renameatx_np(
                    from.as_raw_fd(),
                    old.as_ptr(),
                    to.as_raw_fd(),
                    new.as_ptr(),
                    libc::RENAME_EXCL,
                )
            }
        })
    })??;
    Errno::result(done).map(drop)
}
