//! `root-harmless`: what uid 0 inside reaches outside.

use std::os::fd::AsRawFd;

use isol_core::{Errno, Guarantee, Os};
use isol_sys::attempts::{self as sys, Namespace};

use super::root_confined::{init_s_executable, read_at};
use crate::attack::{message, read, read_device};
use crate::brief::Want;
use crate::{Attack, Breach, Expected, Inside, Probe, Seen, Setting};

const ROOT: Setting = Setting::AsRoot;

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::RootHarmless,
    attacks: &[
        Attack::new("walk-out", walk_out, Breach::When(is_secret)).setting(ROOT),
        // The disk that lies in the root already.
        Attack::new("disk", |i| read_device(i.at("/opt/disk")), Breach::Anything)
            .setting(ROOT)
            .exempt("whether there is a disk behind the number is the host's"),
        Attack::new("make-a-device", device, Breach::Anything).setting(ROOT),
        Attack::new("mount", mount, Breach::Anything).setting(ROOT),
        Attack::new("signal", |i| done(sys::signal(i.brief.victim, 0)), Breach::Anything)
            .setting(ROOT),
        Attack::new("trace", |i| done(sys::trace(i.brief.victim)), Breach::Anything).setting(ROOT),
        Attack::new("outsider-s-namespaces", join, Breach::Anything)
            .setting(ROOT)
            .only_on(Os::Linux),
        Attack::new("init-s-executable", |_| init_s_executable(), Breach::Anything)
            .setting(ROOT)
            .only_on(Os::Linux),
        Attack::new("core-pattern", |_| core_pattern(), Breach::Anything)
            .setting(ROOT)
            .only_on(Os::Linux),
        Attack::new(
            "hostname",
            |i| done(sys::set_hostname(&i.brief.hostname)),
            Breach::When(|_, _| true),
        )
        .setting(ROOT)
        .only_on(Os::Linux),
    ],
    traps: &[],
};

fn is_secret(expected: &Expected, got: &str) -> bool {
    got.contains(&expected.secret)
}

fn done(answer: Result<(), Errno>) -> Seen {
    Seen::of(answer, |()| "it was done".into())
}

/// The old way: another root below, and up from a working directory that is outside of it.
fn walk_out(inside: &Inside<'_>) -> Seen {
    let secret = &inside.brief.secret;
    let below = secret.strip_prefix("/").unwrap_or(secret);
    let out = sys::open_at(sys::HERE, c"/", 0).and_then(|slash| {
        sys::chroot(&inside.raw("/tmp"))?;
        isol_sys::chroot::change_directory_to(slash.as_raw_fd())?;
        for _ in 0..64 {
            isol_sys::chroot::change_directory(c"..")?;
        }
        Ok(())
    });
    match out {
        Ok(()) => read(below),
        Err(errno) => Seen::Refused(errno.message()),
    }
}

fn device(inside: &Inside<'_>) -> Seen {
    let path = inside.raw("/tmp/device");
    let (major, minor) = inside.brief.disk;
    let seen = done(sys::mknod(&path, true, major, minor));
    let _ = std::fs::remove_file(inside.at("/tmp/device"));
    seen
}

/// Whether what is mounted inside is mounted outside, too.
fn mount(inside: &Inside<'_>) -> Seen {
    let at = inside.raw("/mnt");
    if let Err(errno) = sys::mount_tmpfs(&at) {
        return Seen::Refused(errno.message());
    }
    let outside = inside.ask(Want::LookForMount);
    let _ = sys::unmount(&at);
    match outside.as_str() {
        "seen" => Seen::Got("it is mounted outside, too".into()),
        other => Seen::Refused(format!("outside it is {other}")),
    }
}

fn join(inside: &Inside<'_>) -> Seen {
    let joined = sys::pidfd(inside.brief.outsider)
        .and_then(|outsider| sys::join(outsider.as_raw_fd(), Namespace::Mount));
    match joined {
        Ok(()) => read_at(sys::HERE, &inside.brief.secret),
        Err(errno) => Seen::Refused(errno.message()),
    }
}

/// Nothing is written.
fn core_pattern() -> Seen {
    match std::fs::File::options().write(true).open("/proc/sys/kernel/core_pattern") {
        Ok(_) => Seen::Got("/proc/sys/kernel/core_pattern can be written".into()),
        Err(error) => Seen::Refused(message(&error)),
    }
}
