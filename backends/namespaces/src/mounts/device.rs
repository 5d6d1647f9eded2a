//! A minimal `/dev`.

use std::ffi::CStr;

use isol_core::Fault;
use isol_sys::errno;
use isol_sys::mounts::{self, Fd, Forbids, HERE, What};

use super::asked::put;
use super::{MountOption, doing};

/// Where the host has them, and their numbers.
const NODES: [(&CStr, (u32, u32)); 6] = [
    (c"/dev/null", (1, 3)),
    (c"/dev/zero", (1, 5)),
    (c"/dev/full", (1, 7)),
    (c"/dev/random", (1, 8)),
    (c"/dev/urandom", (1, 9)),
    (c"/dev/tty", (5, 0)),
];

const LINKS: [(&CStr, &CStr); 5] = [
    (c"dev/fd", c"/proc/self/fd"),
    (c"dev/stdin", c"fd/0"),
    (c"dev/stdout", c"fd/1"),
    (c"dev/stderr", c"fd/2"),
    (c"dev/ptmx", c"pts/ptmx"),
];

const SHM: [MountOption; 2] = [(c"mode", Some(c"1777")), (c"size", Some(c"10%"))];
const PTS: [MountOption; 3] =
    [(c"newinstance", None), (c"ptmxmode", Some(c"666")), (c"mode", Some(c"620"))];

/// Makes it in the lowest root, which is the working directory, and attaches it to the root's own.
pub(super) fn fill(root: &Fd, users: bool) -> Result<(), Fault> {
    mounts::make_directory(HERE, c"dev", 0o755).map_err(doing("mkdir for /dev"))?;
    // In a user namespace no device can be made, be it one that isol has been started in: the host's is mounted on a file.
    let mut users = users;
    for (path, number) in NODES {
        let name = below(path, "/");
        if !users {
            match mounts::make_device(HERE, name, number) {
                Err(errno) if errno == errno::NOT_PERMITTED && path == NODES[0].0 => users = true,
                made => made.map_err(doing("making a device of /dev"))?,
            }
        }
        if users {
            mounts::make_file(HERE, name).map_err(doing("making a place for a device of /dev"))?;
        }
    }
    for (name, target) in LINKS {
        mounts::make_link(HERE, name, target).map_err(doing("making a link of /dev"))?;
    }
    for name in [c"dev/shm", c"dev/pts"] {
        mounts::make_directory(HERE, name, 0o755).map_err(doing("mkdir in /dev"))?;
    }
    let log = log_of(root)?;
    if log.is_some() {
        mounts::make_file(HERE, c"dev/log").map_err(doing("making /dev/log"))?;
    }
    let dev = mounts::copy_tree(HERE, c"dev", false).map_err(doing("open_tree of /dev"))?;
    let read_only = Forbids { write: true, exec: true, devices: false };
    mounts::restrict(dev.get(), read_only, false).map_err(doing("mount_setattr of /dev"))?;
    put(&dev, root, c"dev", What::Directory)?;
    let data = Forbids { write: false, exec: true, devices: true };
    let terminals = Forbids { devices: false, ..data };
    for (kind, options, forbids, on) in
        [(c"tmpfs", &SHM[..], data, c"shm"), (c"devpts", &PTS[..], terminals, c"pts")]
    {
        let made = mounts::new_filesystem(kind, options, forbids)
            .map_err(doing("mounting a file system of /dev"))?;
        mounts::attach(made.get(), dev.get(), on)
            .map_err(doing("attaching a file system of /dev"))?;
    }
    if users {
        NODES.into_iter().try_for_each(|(path, number)| host_s(&dev, path, number))?;
    }
    match log {
        Some(log) => {
            mounts::attach(log.get(), dev.get(), c"log").map_err(doing("attaching /dev/log"))
        }
        None => Ok(()),
    }
}

/// The socket on which the root's syslog is listened to, if there is one.
fn log_of(root: &Fd) -> Result<Option<Fd>, Fault> {
    let found = match mounts::open_below(root.get(), c"dev/log", What::Anything) {
        Ok(found) => found,
        Err(errno) if errno == errno::NO_ENTRY => return Ok(None),
        Err(errno) => return Err(doing("opening the root's /dev/log")(errno)),
    };
    let is = mounts::what_is(found.get()).map_err(doing("fstat of /dev/log"))?;
    if !is.is_socket() {
        return Ok(None);
    }
    mounts::copy_tree(found.get(), c"", false).map(Some).map_err(doing("open_tree of /dev/log"))
}

/// What of a path comes behind its beginning.
fn below(path: &'static CStr, beginning: &str) -> &'static CStr {
    let rest = &path.to_bytes_with_nul()[beginning.len()..];
    CStr::from_bytes_with_nul(rest).unwrap_or(path)
}

/// The host's device, which is still there by its path, if it is the one that it should be.
fn host_s(dev: &Fd, path: &'static CStr, number: (u32, u32)) -> Result<(), Fault> {
    let device =
        mounts::copy_tree(HERE, path, false).map_err(doing("open_tree of a device of the host"))?;
    let is = mounts::what_is(device.get()).map_err(doing("fstat of a device of the host"))?;
    if !is.is_device(number) {
        return Err(Fault::state("a device of the host's /dev is another"));
    }
    let device_only = Forbids { write: false, exec: true, devices: false };
    mounts::restrict(device.get(), device_only, false)
        .map_err(doing("mount_setattr of a device of the host"))?;
    mounts::attach(device.get(), dev.get(), below(path, "/dev/"))
        .map_err(doing("attaching a device of the host"))
}
