//! `no-new-root`: another root, another mount, another namespace, a device.

use std::os::fd::AsRawFd;

use isol_core::{Errno, Guarantee, Os};
use isol_sys::attempts::{self as sys, Namespace};

use crate::attack::message;
use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::NoNewRoot,
    attacks: &[
        Attack::new("chroot", |i| done(sys::chroot(&i.raw("/tmp"))), Breach::Anything),
        Attack::new("mount", mount, Breach::Anything),
        Attack::new("pivot-root", pivot, Breach::Anything)
            .only_on(Os::Linux)
            .exempt("the host's own root can't be moved: pivot_root(2) says EINVAL to everybody"),
        Attack::new("disk", |i| device(i, true, i.brief.disk), Breach::Anything),
        Attack::new("memory", |i| device(i, false, (1, 1)), Breach::Anything),
        Attack::new("planted-disk", |i| open(i, "/opt/disk"), Breach::Anything)
            .exempt("whether there is a disk behind the number is the host's"),
        Attack::new("planted-memory", |i| open(i, "/opt/mem"), Breach::Anything)
            .exempt("whether /dev/mem can be opened is the kernel's configuration"),
        Attack::new("user-namespace", |_| done(sys::new_user_namespace()), Breach::Anything)
            .only_on(Os::Linux),
        Attack::new("outsider-s-namespaces", namespaces, Breach::Anything).only_on(Os::Linux),
        Attack::new("jail", |i| done(sys::new_jail(&i.raw("/tmp"))), Breach::Anything)
            .only_on(Os::FreeBsd),
    ],
    traps: &[],
};

fn done(answer: Result<(), Errno>) -> Seen {
    Seen::of(answer, |()| "it was done".into())
}

fn mount(inside: &Inside<'_>) -> Seen {
    let at = inside.raw("/mnt");
    let seen = done(sys::mount_tmpfs(&at));
    if matches!(seen, Seen::Got(_)) {
        let _ = sys::unmount(&at);
    }
    seen
}

fn pivot(inside: &Inside<'_>) -> Seen {
    done(sys::pivot_root(&inside.raw("/mnt"), &inside.raw("/mnt")))
}

fn device(inside: &Inside<'_>, block: bool, (major, minor): (u32, u32)) -> Seen {
    let path = inside.at("/tmp/device");
    let seen = done(sys::mknod(&crate::attack::raw(&path), block, major, minor));
    let _ = std::fs::remove_file(path);
    seen
}

fn open(inside: &Inside<'_>, path: &str) -> Seen {
    let path = inside.at(path);
    if std::fs::symlink_metadata(&path).is_err() {
        return Seen::NotHere("no device could be planted here".into());
    }
    match std::fs::File::open(path) {
        Ok(_) => Seen::Got("it can be read".into()),
        Err(error) => Seen::Refused(message(&error)),
    }
}

/// By a descriptor of a process outside; of root's, and of one under the same uid.
fn namespaces(inside: &Inside<'_>) -> Seen {
    let pids = [inside.brief.outsider, inside.brief.victim].into_iter().filter(|&pid| pid > 0);
    let kinds = [Namespace::Mount, Namespace::Uts, Namespace::Ipc, Namespace::Net];
    let ways = pids.flat_map(|pid| kinds.map(|kind| (pid, kind))).map(|(pid, kind)| {
        let joined = sys::pidfd(pid).and_then(|fd| sys::join(fd.as_raw_fd(), kind));
        (format!("{kind:?} of process {pid}"), done(joined))
    });
    Seen::first(ways)
}
