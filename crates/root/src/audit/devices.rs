//! Which devices may be in a root: those that are the same as some of the host's.

use std::path::{Path, PathBuf};

use isol_sys::brief::Brief;
use isol_sys::meta::Meta;
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;

use super::AuditError;
use crate::walk::WalkError;

const HARMLESS: [&str; 6] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// Kind and number, not the name: a node called `null` may be anything.
pub(super) struct Devices(Vec<(bool, u64)>);

impl Devices {
    pub(super) fn of_host(more: &[PathBuf]) -> Result<Self, AuditError> {
        let mut allowed = Vec::new();
        for path in more {
            let no_device =
                |why: &str| AuditError::NoDevice { path: path.clone(), why: why.into() };
            match Meta::at(AT_FDCWD, path) {
                Ok(meta) if meta.is_char_device() || meta.is_block_device() => {
                    allowed.push((meta.is_block_device(), meta.rdev));
                }
                Ok(meta) if meta.is_symlink() => return Err(no_device("it is a symbolic link")),
                Ok(_) => return Err(no_device("it is another kind of file")),
                Err(why) => return Err(no_device(why.desc())),
            }
        }
        for path in HARMLESS.map(Path::new) {
            match Meta::at(AT_FDCWD, path) {
                Ok(meta) if meta.is_char_device() || meta.is_block_device() => {
                    allowed.push((meta.is_block_device(), meta.rdev));
                }
                // What the host doesn't have can't be allowed.
                Ok(_) | Err(Errno::ENOENT) => {}
                Err(source) => {
                    return Err(WalkError::Io { path: path.to_owned(), source }.into());
                }
            }
        }
        Ok(Self(allowed))
    }

    pub(super) fn allow(&self, found: &Brief) -> bool {
        self.0.contains(&(found.is_block_device(), found.rdev))
    }
}
