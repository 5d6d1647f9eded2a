//! Mending what can be mended without taking anything away but permissions.
//!
//! Each file is opened once more, from the root down and through no link, is compared with the one that was found, and is
//! changed through that descriptor: whatever is done to names meanwhile, no other file is.

use std::ffi::CString;
use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use isol_sys::below::{self, Opened};
use isol_sys::brief::Brief;
use isol_sys::listing::Kind;
use isol_sys::{amend, xattr};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::finding::{Finding, What};
use crate::walk::Sysroot;

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mended {
    /// It is mended: this has been done.
    Done(String),
    /// It is as it was, and why.
    Left(String),
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(what) => write!(f, "mended: {what}"),
            Self::Left(why) => write!(f, "left: {why}"),
        }
    }
}

/// Mends a finding of [`audit`](super::audit)'s in the tree `root`, where that can be done by taking permissions away: set-id
/// bits, capabilities, write permissions and foreign owners of what will be executed or loaded, a missing sticky bit.
///
/// Nothing is removed, nothing above the root is changed, and no file that has another name: that one may be anybody's.
/// What a file says is not looked at: whoever could write to it may have done so.
///
/// # References
/// fchmodat2(2), fchownat(2), fremovexattr(2)
#[must_use]
pub fn mend(root: &Sysroot, finding: &Finding) -> Mended {
    let left = |why: &str| Mended::Left(why.to_owned());
    match finding.what {
        What::SetUid | What::SetGid | What::Capabilities => {}
        What::WritableProgram | What::WritableDirectory | What::UnsafeRoot | What::NoSticky => {}
        What::UnsafeAbove => {
            return left("it is outside the root, and others may need it as it is");
        }
        What::WorldWritable => return left("a program may need to write to it"),
        _ => return left("that is for you to decide"),
    }
    let (Some(path), Some(id)) = (&finding.path, finding.id) else {
        return left("it is not known which file it is");
    };
    match change(root, path, id, finding.what) {
        Ok(mended) => mended,
        Err(Errno::ESTALE | Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {
            left("it is not there any more")
        }
        Err(why) => left(why.desc()),
    }
}

fn change(root: &Sysroot, path: &Path, id: (u64, u64), what: What) -> nix::Result<Mended> {
    let below = path.strip_prefix(root.path()).map_err(|_| Errno::EXDEV)?;
    let (dir, name) = open(root, below)?;
    let file = below::handle(&dir, &name)?;
    let before = Brief::of(&file)?;
    if before.id() != id {
        return Err(Errno::ESTALE);
    }
    if before.kind() != Kind::Directory && before.nlink > 1 {
        return Ok(Mended::Left("it has another name, which may be outside the root".into()));
    }
    if what == What::WritableDirectory && before.mode & 0o1000 != 0 {
        return Ok(Mended::Left(
            "it is everybody's on purpose: move the programs out of it".into(),
        ));
    }
    match what {
        What::Capabilities => return capabilities(&dir, &name, id),
        What::SetUid => amend::set_mode(&file, before.permissions() & !0o4000)?,
        What::SetGid => amend::set_mode(&file, before.permissions() & !0o2000)?,
        What::NoSticky => amend::set_mode(&file, before.permissions() | 0o1000)?,
        _ => take_over(&file, &before)?,
    }
    let after = Brief::of(&file)?;
    let mut done = Vec::new();
    if before.uid != after.uid {
        done.push(format!("owner {} is now {}", before.uid, after.uid));
    }
    if before.permissions() != after.permissions() {
        let (before, after) = (before.permissions(), after.permissions());
        done.push(format!("mode {before:04o} is now {after:04o}"));
    }
    if done.is_empty() {
        // Somebody else was quicker.
        done.push("nothing was left to do".into());
    }
    Ok(Mended::Done(done.join(", ")))
}

/// Makes it root's, and root's alone to write to.
fn take_over(file: &OwnedFd, before: &Brief) -> nix::Result<()> {
    if before.uid == 0 {
        return amend::set_mode(file, before.permissions() & !0o022);
    }
    // What its owner's set-uid bit gave is little; what root's would give is not. Not every system takes it away when
    // the owner changes, and until then the owner can put it back.
    let is_file = before.kind() == Kind::File;
    let keep = if is_file { !0o6022 } else { !0o022 };
    amend::set_mode(file, before.permissions() & keep)?;
    amend::set_owner(file, 0)?;
    amend::set_mode(file, Brief::of(file)?.permissions() & keep)
}

fn capabilities(dir: &OwnedFd, name: &CString, id: (u64, u64)) -> nix::Result<Mended> {
    // Attributes need more than a handle.
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = openat(dir, name.as_c_str(), flags, Mode::empty())?;
    if Brief::of(&file)?.id() != id {
        return Err(Errno::ESTALE);
    }
    xattr::remove_file_capabilities(&file)?;
    Ok(Mended::Done("its capabilities are gone".into()))
}

/// The directory of a path in the tree, and the name in it; of the tree's root, itself and a dot.
fn open(root: &Sysroot, path: &Path) -> nix::Result<(OwnedFd, CString)> {
    let mut names = Vec::new();
    for part in path.components() {
        let Component::Normal(name) = part else { return Err(Errno::EINVAL) };
        names.push(CString::new(name.as_bytes()).map_err(|_| Errno::EINVAL)?);
    }
    let mut dir = root.as_fd().try_clone_to_owned().map_err(|e| crate::walk::errno(&e))?;
    let Some(last) = names.pop() else { return Ok((dir, c".".to_owned())) };
    for name in names {
        // Across mounts, if that is where it was found: the number decides.
        match below::directory(&dir, &name, 0, true)? {
            Opened::Directory(fd, _) => dir = fd,
            Opened::Mount => return Err(Errno::EXDEV),
        }
    }
    Ok((dir, last))
}
