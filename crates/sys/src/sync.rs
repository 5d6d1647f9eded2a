//! Having what was written on the disk.

use std::os::fd::AsFd;

/// Waits until everything written to the file system that `file` is on is on its disk.
///
/// # Errors
/// As syncfs(2): an error of the disk's since the file was opened. Systems without that call are asked to write
/// everything, and don't say whether they could.
///
/// # References
/// syncfs(2), sync(2)
///
/// ```
/// let dir = tempfile::tempdir()?;
/// isol_sys::sync::file_system(std::fs::File::open(dir.path())?)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn file_system(file: impl AsFd) -> nix::Result<()> {
    cfg_if::cfg_if! {
        if #[cfg(target_os = "linux")] {
            nix::unistd::syncfs(file)
        } else {
            let _ = file;
            nix::unistd::sync();
            Ok(())
        }
    }
}
