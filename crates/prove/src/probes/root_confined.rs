//! `root-confined`: ways to a file outside of the root.

use std::io;
use std::os::unix::fs::{lchown, symlink};
use std::path::{Path, PathBuf};

use isol_core::{Guarantee, Os, step_names};
use isol_sys::attempts as sys;

use crate::attack::{message, raw, read};
use crate::brief::Want;
use crate::caller::ordinary;
use crate::scenario::Scenario;
use crate::trap::{Laid, Trap};
use crate::{Attack, Breach, Expected, Inside, Probe, Seen, Site};

const SECRET: Breach = Breach::When(is_secret);

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::RootConfined,
    attacks: &[
        Attack::new("absolute-path", |i| read(&i.brief.secret), SECRET),
        Attack::new("dot-dot", |i| read(up(&i.brief.secret)), SECRET),
        Attack::new("working-directory", working_directory, SECRET),
        Attack::new("dot-dot-from-slash", from_slash, SECRET),
        Attack::new("absolute-link", |i| read(i.at("/links/absolute")), SECRET),
        Attack::new("relative-link", |i| read(i.at("/links/relative")), SECRET),
        Attack::new("checked-directory", checked, Breach::Unless(checked_root)),
        Attack::new("descriptors", descriptors, SECRET),
        Attack::new("roots-in-proc", roots_in_proc, SECRET).only_on(Os::Linux),
        Attack::new("init-s-executable", |_| init_s_executable(), Breach::Anything)
            .only_on(Os::Linux),
        Attack::new("file-handle", file_handle, SECRET),
        Attack::new("core-pattern", core_pattern, Breach::Anything).only_on(Os::Linux),
        Attack::new("moved-directory", moved, SECRET)
            .open("whoever moves a directory out of a root moves whoever is in it out, too: only root outside can"),
        Attack::new("descriptor-by-message", by_message, SECRET)
            .open("a process outside that hands a directory over hands a way out over: share no socket with it"),
    ],
    traps: &[Trap::new("bound-link-of-the-uid", &[step_names::MOUNT_SOURCES], bound_link)],
};

/// A link that the uid has laid in a directory of its own.
fn bound_link(site: &Site, scenario: &mut Scenario) -> io::Result<Laid> {
    if ordinary().is_some() {
        return Ok(Laid::not_here("whoever calls may lay links for himself"));
    }
    let yard = site.outside().join("bound");
    std::fs::create_dir(&yard)?;
    let link = yard.join("link");
    let laid = super::bound::bind(scenario, &link, Path::new("/mnt"), {
        let yard = yard.clone();
        move || drop(std::fs::remove_dir_all(yard))
    })?;
    if laid.not_here.is_none() {
        symlink(site.outside(), &link)?;
        for path in [&link, &yard] {
            lchown(path, Some(site.uid()), None)?;
        }
    }
    Ok(laid)
}

fn is_secret(expected: &Expected, got: &str) -> bool {
    got.contains(&expected.secret)
}

/// A path up to wherever that ends, and down again.
fn up(path: &Path) -> PathBuf {
    let mut up = PathBuf::from("../".repeat(64));
    up.push(path.strip_prefix("/").unwrap_or(path));
    up
}

fn working_directory(inside: &Inside<'_>) -> Seen {
    let name = Path::new("secret");
    let tries =
        [name.to_owned(), Path::new("..").join(name), PathBuf::from("/proc/self/cwd/secret")];
    Seen::first(
        tries
            .iter()
            .map(|path| (path.display().to_string(), read(path)))
            .chain([("up from here".to_owned(), read(up(&inside.brief.secret)))]),
    )
}

fn from_slash(inside: &Inside<'_>) -> Seen {
    match std::env::set_current_dir("/") {
        Ok(()) => read(up(&inside.brief.secret)),
        Err(error) => Seen::Refused(message(&error)),
    }
}

fn checked(_inside: &Inside<'_>) -> Seen {
    Seen::of(isol_sys::chroot::identity(c"/"), |(device, inode)| format!("{device}:{inode}"))
}

fn checked_root(expected: &Expected) -> String {
    format!("{}:{}", expected.root.0, expected.root.1)
}

/// Through each descriptor that came from outside: relative to it, and with it as working directory.
fn descriptors(inside: &Inside<'_>) -> Seen {
    let way = up(&inside.brief.secret);
    let ways = inside.begun.opened.iter().map(|&(fd, _)| {
        let relative = read_at(fd, &way);
        if matches!(relative, Seen::Got(_)) {
            return (format!("openat of descriptor {fd}"), relative);
        }
        let entered = match isol_sys::chroot::change_directory_to(fd) {
            Ok(()) => read(&way),
            Err(errno) => Seen::Refused(errno.message()),
        };
        (format!("fchdir to descriptor {fd}"), entered)
    });
    Seen::first(ways)
}

pub(super) fn read_at(fd: i32, path: &Path) -> Seen {
    match sys::open_at(fd, &raw(path), 0) {
        Ok(file) => {
            let text = std::io::read_to_string(std::fs::File::from(file));
            text.map_or_else(|error| Seen::Refused(message(&error)), Seen::Got)
        }
        Err(errno) => Seen::Refused(errno.message()),
    }
}

fn roots_in_proc(inside: &Inside<'_>) -> Seen {
    let below = inside.brief.secret.strip_prefix("/").unwrap_or(&inside.brief.secret);
    let pids = [
        "1".to_owned(),
        "self".to_owned(),
        inside.brief.outsider.to_string(),
        inside.brief.victim.to_string(),
    ];
    Seen::first(pids.iter().map(|pid| {
        let path = PathBuf::from(format!("/proc/{pid}/root")).join(below);
        (path.display().to_string(), read(&path))
    }))
}

/// The init's executable is isol's own, on the host: whoever opens it can read it, and write to it once it has ended.
pub(super) fn init_s_executable() -> Seen {
    let ways = ["exe", "root", "cwd", "map_files", "mem"];
    Seen::first(ways.iter().map(|name| {
        let path = format!("/proc/1/{name}");
        let seen = match std::fs::File::open(&path) {
            Ok(_) => Seen::Got("it can be opened".into()),
            Err(error) => Seen::Refused(message(&error)),
        };
        (path, seen)
    }))
}

/// A file handle needs no path; opening one takes a capability over the whole file system.
fn file_handle(inside: &Inside<'_>) -> Seen {
    if inside.brief.handle.is_empty() {
        return Seen::NotHere("the file system gives no handles".into());
    }
    let opened = sys::open_at(sys::HERE, c"/", 0).and_then(|mount| {
        sys::open_handle(&inside.brief.handle, std::os::fd::AsRawFd::as_raw_fd(&mount))
    });
    match opened {
        Ok(file) => std::io::read_to_string(std::fs::File::from(file))
            .map_or_else(|error| Seen::Refused(message(&error)), Seen::Got),
        Err(errno) => Seen::of::<()>(Err(errno), |()| String::new()),
    }
}

/// Whoever can write there has the kernel run a program of his outside, as root. Nothing is written.
fn core_pattern(_inside: &Inside<'_>) -> Seen {
    match std::fs::File::options().write(true).open("/proc/sys/kernel/core_pattern") {
        Ok(_) => Seen::Got("/proc/sys/kernel/core_pattern can be written".into()),
        Err(error) => Seen::Refused(message(&error)),
    }
}

fn moved(inside: &Inside<'_>) -> Seen {
    if let Err(error) = std::env::set_current_dir(inside.at("/yard/pen")) {
        return Seen::Refused(message(&error));
    }
    let to = inside.ask(Want::Move);
    if to.starts_with("no: ") {
        return Seen::NotHere(to);
    }
    read(up(&inside.brief.secret))
}

fn by_message(inside: &Inside<'_>) -> Seen {
    let answer = inside.ask(Want::Directory);
    if answer != "here" {
        return Seen::NotHere(answer);
    }
    match inside.channel.receive_descriptor() {
        Ok(Some(fd)) => {
            read_at(fd, inside.brief.secret.strip_prefix("/").unwrap_or(&inside.brief.secret))
        }
        Ok(None) => Seen::Refused("the descriptor was taken away on the way".into()),
        Err(error) => Seen::Refused(message(&error)),
    }
}
