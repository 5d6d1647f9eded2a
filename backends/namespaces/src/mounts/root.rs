//! The root of the namespace.
//!
//! The program's root is a directory below it, and not it itself: the kernel lets nobody make a user namespace whose root
//! is not its mount namespace's, and whoever walked out of the one would stand in the other, which is empty.

use isol_core::Fault;
use isol_sys::chroot;
use isol_sys::mounts::{self, Fd, Forbids, HERE};

use super::{MountOption, doing};

/// What of the lowest root there is to see for whoever would get there: nothing.
const EMPTY: [MountOption; 2] = [(c"mode", Some(c"755")), (c"size", Some(c"64k"))];

/// What fails where this process's root is no mount that can be exchanged, and what is found where it is not the uppermost.
pub(super) const PIVOTING: &str = "pivot_root";
pub(super) const ABOVE: &str = "mounts of the host's are still above the root";

/// Makes the working directory, which is the checked one, the program's root, furnished; it is the working directory then,
/// too.
pub(super) fn exchange(
    read_only: bool,
    furnish: impl FnOnce(&Fd) -> Result<(), Fault>,
) -> Result<(), Fault> {
    mounts::cut_off().map_err(doing("cutting the mounts off from the host's"))?;
    let root = mounts::copy_tree(HERE, c".", true).map_err(doing("open_tree of the root"))?;
    let forbids = Forbids { write: read_only, exec: false, devices: true };
    mounts::restrict(root.get(), forbids, true).map_err(doing("mount_setattr of the root"))?;
    let data = Forbids { write: false, exec: true, devices: false };
    let base = mounts::new_filesystem(c"tmpfs", &EMPTY, data)
        .map_err(doing("mounting an empty file system"))?;
    // On what this process's root is on, and not on the directory: nobody who is in the one sees what is on top of it, so that
    // what is bound from around the directory, or from in it, is found as it is.
    mounts::attach(base.get(), HERE, c"/").map_err(doing("attaching the lowest root"))?;
    chroot::change_directory_to(base.get()).map_err(doing("fchdir to the lowest root"))?;
    mounts::make_directory(HERE, c"root", 0o755).map_err(doing("mkdir in the lowest root"))?;
    mounts::attach(root.get(), HERE, c"root").map_err(doing("attaching the root"))?;
    furnish(&root)?;
    mounts::pivot_here().map_err(doing(PIVOTING))?;
    let shut = Forbids { write: true, exec: true, devices: true };
    mounts::restrict(base.get(), shut, false).map_err(doing("mount_setattr of the lowest root"))?;
    chroot::change_directory_to(root.get()).map_err(doing("fchdir to the root"))?;
    chroot::root_here().map_err(doing("chroot"))?;
    // In a chroot to a mount the old root has been exchanged where it was, and the mounts around that are still there.
    let of = |path| mounts::of(base.get(), path).map_err(doing("looking at the lowest root"));
    if of(c"..")? == of(c".")? { Ok(()) } else { Err(Fault::state(ABOVE)) }
}
