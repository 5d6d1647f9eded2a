//! `no-new-root`: another root, another mount, another namespace, a device.

use std::os::fd::AsRawFd;

use isol_core::{Errno, Guarantee, Os};
use isol_sys::attempts::{self as sys, Namespace};

use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::NoNewRoot,
    attacks: &[
        Attack::new("chroot", |i| done(sys::chroot(&i.raw("/tmp"))), Breach::Anything),
        Attack::new("mount", |i| done(sys::may_mount(&i.raw("/mnt"))), Breach::Anything),
        Attack::new("pivot-root", |_| done(sys::may_pivot_root()), Breach::Anything)
            .only_on(Os::Linux),
        Attack::new("disk", |i| device(i, true, i.brief.disk), Breach::Anything),
        Attack::new("memory", |i| device(i, false, (1, 1)), Breach::Anything),
        Attack::new("user-namespace", |_| done(sys::new_user_namespace()), Breach::Anything)
            .only_on(Os::Linux),
        Attack::new("outsider-s-namespaces", namespaces, Breach::Anything).only_on(Os::Linux),
        Attack::new("jail", |i| done(sys::new_jail(&i.raw("/tmp"))), Breach::Anything)
            .only_on(Os::FreeBsd),
    ],
    traps: &[],
};

fn done(answer: Result<(), Errno>) -> Seen {
    Seen::of(answer, |()| "it could be done".into())
}

fn device(inside: &Inside<'_>, block: bool, (major, minor): (u32, u32)) -> Seen {
    let path = inside.at("/tmp/device");
    let seen = done(sys::mknod(&crate::attack::raw(&path), block, major, minor));
    let _ = std::fs::remove_file(path);
    seen
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
