//! Taking a tree away, whatever has been put into it.
//!
//! A program may leave behind directories 20,000 deep, names of any bytes, and links to anywhere. So nothing recurses, no
//! link is followed, and no more than a few descriptors are open: each directory is emptied by moving what directories are
//! in it up to the top. A directory is entered only after rmdir(2) said that it is not empty: of a mount point it says
//! something else, even where what is mounted is a part of the same file system and has the same device number.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::RemoveError;

/// What is appended to the name of a tree that is being removed.
pub(super) const GONE: &str = ".gone";

/// How often a directory may turn out not to be empty after it was emptied.
const PATIENCE: usize = 100;

/// Removes the directory `name` of the directory `dir`, which is at `path`, with everything below. One that is not there is
/// removed already.
///
/// Several processes may do so at once with the same tree: each leaves what another has moved or removed meanwhile.
///
/// # Errors
/// [`RemoveError::Mounted`] for the first mount point met: nothing below it has been touched, and what is left can be
/// removed again after umount(8).
///
/// # References
/// unlinkat(2), renameat(2)
pub(crate) fn remove_tree(dir: BorrowedFd<'_>, path: &Path, name: &str) -> Result<(), RemoveError> {
    let gone = format!("{name}{GONE}");
    // Under a name of its own, which also shows that nothing is mounted on the tree itself.
    match renameat(dir, name, dir, gone.as_str()) {
        Ok(()) | Err(Errno::ENOENT) => {}
        // Asked of a file system that is mounted read-only, whether there is something or not.
        Err(Errno::EROFS) if Meta::at(dir, name) == Err(Errno::ENOENT) => {}
        // Left by somebody who was killed at it: that one first, then this.
        Err(Errno::ENOTEMPTY | Errno::EEXIST) => {
            Removal::of(dir, path, &gone)?;
            return remove_tree(dir, path, name);
        }
        Err(Errno::ENOTDIR) => return unlink(dir, name, &path.join(name)),
        Err(e) => return Err(failed("rename", &path.join(name), e)),
    }
    Removal::of(dir, path, &gone)
}

struct Removal<'a> {
    base: BorrowedFd<'a>,
    top: OwnedFd,
    path: PathBuf,
    dev: u64,
    moved: u64,
}

impl<'a> Removal<'a> {
    fn of(base: BorrowedFd<'a>, path: &Path, name: &str) -> Result<(), RemoveError> {
        let path = path.join(name);
        let top = match open_dir(base, Path::new(name)) {
            Ok(top) => top,
            Err(Errno::ENOENT) => return Ok(()),
            Err(Errno::ENOTDIR | Errno::ELOOP | Errno::EMLINK) => {
                return unlink(base, name, &path);
            }
            Err(e) => return Err(failed("open", &path, e)),
        };
        let above = Meta::of(base).map_err(|e| failed("fstat", &path, e))?;
        let meta = Meta::of(&top).map_err(|e| failed("fstat", &path, e))?;
        if meta.dev != above.dev {
            return Err(RemoveError::Mounted { path });
        }
        let mut removal = Removal { base, top, path, dev: meta.dev, moved: 0 };
        for _ in 0..PATIENCE {
            removal.empty_top()?;
            match unlinkat(removal.base, name, UnlinkatFlags::RemoveDir) {
                Ok(()) | Err(Errno::ENOENT) => return Ok(()),
                Err(Errno::ENOTEMPTY | Errno::EEXIST) => {}
                Err(Errno::EBUSY) => return Err(RemoveError::Mounted { path: removal.path }),
                Err(e) => return Err(failed("rmdir", &removal.path, e)),
            }
        }
        Err(RemoveError::Busy { path: removal.path })
    }

    /// Removes everything in the top directory, and what is moved there meanwhile.
    fn empty_top(&mut self) -> Result<(), RemoveError> {
        loop {
            let names = entries(&self.top, &self.path)?;
            if names.is_empty() {
                return Ok(());
            }
            for name in names {
                let path = self.path.join(to_path(&name));
                if self.is_directory(self.top.as_fd(), &name, &path)? {
                    self.flatten(&name, path)?;
                } else {
                    unlink(&self.top, name.as_c_str(), &path)?;
                }
            }
        }
    }

    /// Removes one directory of the top directory; those in it are moved up.
    fn flatten(&mut self, name: &CString, path: PathBuf) -> Result<(), RemoveError> {
        match unlinkat(&self.top, name.as_c_str(), UnlinkatFlags::RemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => return Ok(()),
            Err(Errno::ENOTEMPTY | Errno::EEXIST) => {}
            Err(Errno::EBUSY) => return Err(RemoveError::Mounted { path }),
            Err(e) => return Err(failed("rmdir", &path, e)),
        }
        let top = self.top.as_fd();
        let dir = match open_dir(top, to_path(name)) {
            Ok(dir) => dir,
            Err(Errno::ENOENT) => return Ok(()),
            Err(e) => return Err(failed("open", &path, e)),
        };
        if Meta::of(&dir).map_err(|e| failed("fstat", &path, e))?.dev != self.dev {
            return Err(RemoveError::Mounted { path });
        }
        for _ in 0..PATIENCE {
            for inner in entries(&dir, &path)? {
                let below = path.join(to_path(&inner));
                if self.is_directory(dir.as_fd(), &inner, &below)? {
                    match unlinkat(&dir, inner.as_c_str(), UnlinkatFlags::RemoveDir) {
                        Ok(()) | Err(Errno::ENOENT) => {}
                        Err(Errno::EBUSY) => return Err(RemoveError::Mounted { path: below }),
                        _ => move_up(dir.as_fd(), &inner, top, &below, &mut self.moved)?,
                    }
                } else {
                    unlink(&dir, inner.as_c_str(), &below)?;
                }
            }
            match unlinkat(&self.top, name.as_c_str(), UnlinkatFlags::RemoveDir) {
                Ok(()) | Err(Errno::ENOENT) => return Ok(()),
                Err(Errno::ENOTEMPTY | Errno::EEXIST) => {}
                Err(e) => return Err(failed("rmdir", &path, e)),
            }
        }
        Err(RemoveError::Busy { path })
    }

    fn is_directory(
        &self,
        dir: impl AsFd,
        name: &CString,
        path: &Path,
    ) -> Result<bool, RemoveError> {
        match Meta::at(dir, name.as_c_str()) {
            // Of directories only: some stacked file systems give files another number than their directory's.
            Ok(meta) if meta.is_dir() && meta.dev != self.dev => {
                Err(RemoveError::Mounted { path: path.to_owned() })
            }
            Ok(meta) => Ok(meta.is_dir()),
            // Gone meanwhile; unlink will find the same.
            Err(Errno::ENOENT) => Ok(false),
            Err(e) => Err(failed("fstatat", path, e)),
        }
    }
}

/// Moves `name` from `dir` to a new name in `top`, unless it is gone.
fn move_up(
    dir: impl AsFd,
    name: &CString,
    top: impl AsFd,
    path: &Path,
    moved: &mut u64,
) -> Result<(), RemoveError> {
    let pid = std::process::id();
    loop {
        *moved += 1;
        let new = PathBuf::from(format!(".{pid}-{moved}"));
        match renameat(dir.as_fd(), name.as_c_str(), top.as_fd(), new.as_path()) {
            Ok(()) | Err(Errno::ENOENT) => return Ok(()),
            // A name that an earlier attempt has left.
            Err(Errno::ENOTEMPTY | Errno::EEXIST | Errno::ENOTDIR | Errno::EISDIR) => {}
            Err(Errno::EBUSY | Errno::EXDEV) => {
                return Err(RemoveError::Mounted { path: path.to_owned() });
            }
            Err(e) => return Err(failed("rename", path, e)),
        }
    }
}

fn unlink<P: nix::NixPath + ?Sized>(
    dir: impl AsFd,
    name: &P,
    path: &Path,
) -> Result<(), RemoveError> {
    match unlinkat(dir, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(Errno::EBUSY) => Err(RemoveError::Mounted { path: path.to_owned() }),
        Err(e) => Err(failed("unlink", path, e)),
    }
}

fn open_dir(dir: impl AsFd, name: &Path) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(dir, name, flags, Mode::empty())
}

fn entries(dir: &OwnedFd, path: &Path) -> Result<Vec<CString>, RemoveError> {
    let io = |e| failed("readdir", path, e);
    let mut open = Dir::from_fd(open_dir(dir, Path::new(".")).map_err(io)?).map_err(io)?;
    let mut names = Vec::new();
    for entry in open.iter() {
        let name = entry.map_err(io)?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

fn to_path(name: &CString) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()))
}

fn failed(call: &'static str, path: &Path, source: Errno) -> RemoveError {
    RemoveError::Io { call, path: path.to_owned(), source }
}
