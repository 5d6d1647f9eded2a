//! What is dangerous about one thing in the tree.

use std::ffi::{CStr, OsStr};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use isol_core::Guarantee;
use isol_sys::brief::Brief;
use isol_sys::listing::Kind;
use isol_sys::quote::shell;
use isol_sys::rootdir::Flaw;
use isol_sys::{device, mount, xattr};
use nix::errno::Errno;

use super::crew::{Seen, Then, Visitor};
use super::devices::Devices;
use super::finding::{Finding, What};
use super::links::Links;
use super::place::Place;
use super::symlinks;
use super::{Report, User};
use crate::walk::Sysroot;

/// What is remembered of a directory.
#[derive(Debug, Default)]
pub(super) struct Mark {
    /// Somebody else than root can write to it.
    flawed: Option<Flawed>,
    /// It, or one above it in the tree, is flawed.
    flawed_above: bool,
}

#[derive(Debug)]
struct Flawed {
    flaw: Flaw,
    brief: Brief,
    /// A finding has been made of it.
    told: AtomicBool,
}

/// The rules, and what they need to know.
pub(super) struct Rules<'a> {
    pub(super) root: &'a Sysroot,
    pub(super) devices: Devices,
    pub(super) user: Option<&'a User>,
    pub(super) across: bool,
    /// Only what breaks this guarantee.
    pub(super) only: Option<Guarantee>,
    pub(super) links: &'a Links,
    pub(super) report: Report<'a>,
    pub(super) looked_at: &'a AtomicU64,
}

impl Visitor for Rules<'_> {
    type Mark = Mark;

    fn directory(
        &self,
        above: &Arc<Place<Mark>>,
        name: &CStr,
        dir: BorrowedFd<'_>,
        brief: &Brief,
    ) -> Option<Mark> {
        if self.across && brief.mounted.unwrap_or(brief.dev != above.id.0) {
            // Processes for files, and no end of them.
            match mount::is_proc(dir) {
                Ok(false) => {}
                Ok(true) => {
                    self.tell(What::Proc, || (path(above, name), String::new()), Some("umount"));
                    return None;
                }
                Err(why) => {
                    self.unread(above, name, why);
                    return None;
                }
            }
        }
        let flaw = Flaw::of(brief.uid, brief.mode, 0);
        let flawed = flaw.map(|flaw| Flawed { flaw, brief: *brief, told: AtomicBool::new(false) });
        if brief.mode & 0o1002 == 0o002 {
            let at = || (path(above, name), owned(brief));
            self.tell_of(What::NoSticky, brief, at, Some("chmod +t"));
        }
        if let Some(flawed) = &flawed
            && self.wants(What::WritableDirectory)
            && is_searched(&path(above, name))
        {
            flawed.told.store(true, Ordering::Relaxed);
            self.flawed(What::WritableDirectory, path(above, name), brief, flawed.flaw);
        }
        Some(Mark { flawed_above: flawed.is_some() || above.mark.flawed_above, flawed })
    }

    fn other(&self, seen: &Seen<'_, Mark>) -> nix::Result<Then> {
        match seen.kind {
            Kind::Symlink => return self.symlink(seen).map(|()| Then::Done),
            Kind::Socket | Kind::Fifo if !self.wants(What::Socket) => return Ok(Then::Done),
            _ => {}
        }
        let brief = Brief::at(seen.dir, seen.name)?;
        if brief.mounted == Some(true) && !self.across {
            self.tell(What::Mount, || (seen.path(), owned(&brief)), Some("umount"));
            return Ok(Then::Done);
        }
        match brief.kind() {
            Kind::Directory => return Ok(Then::Directory),
            Kind::File => self.file(seen, &brief)?,
            Kind::Device if !self.devices.allow(&brief) => {
                self.tell_of(What::Device, &brief, || (seen.path(), number(&brief)), Some("rm"));
            }
            Kind::Socket if !is_log(seen, &brief) => {
                self.tell_of(What::Socket, &brief, || (seen.path(), owned(&brief)), Some("rm"));
            }
            Kind::Fifo => {
                self.tell_of(What::Fifo, &brief, || (seen.path(), owned(&brief)), Some("rm"));
            }
            _ => {}
        }
        Ok(Then::Done)
    }

    fn mount(&self, seen: &Seen<'_, Mark>) {
        let handle = isol_sys::below::handle(seen.dir, seen.name);
        let what = match handle.and_then(mount::is_proc) {
            Ok(true) => What::Proc,
            // What else it is does not matter: it is not looked into.
            Ok(false) | Err(_) => What::Mount,
        };
        self.tell(what, || (seen.path(), String::new()), Some("umount"));
    }

    fn unread(&self, place: &Place<Mark>, name: &CStr, why: Errno) {
        let why = match why {
            Errno::ESTALE | Errno::EAGAIN => "it changed while it was looked at".to_owned(),
            Errno::ELOOP => "it is mounted in itself".to_owned(),
            why => why.desc().to_owned(),
        };
        self.tell(What::Unread, || (path(place, name), why), None);
    }

    fn count(&self, names: u64) {
        self.looked_at.fetch_add(names, Ordering::Relaxed);
    }
}

impl Rules<'_> {
    fn file(&self, seen: &Seen<'_, Mark>, brief: &Brief) -> nix::Result<()> {
        let at = || (seen.path(), owned(brief));
        if brief.mode & 0o4000 != 0 {
            self.tell_of(What::SetUid, brief, at, Some("chmod u-s"));
        }
        if brief.mode & 0o2000 != 0 {
            self.tell_of(What::SetGid, brief, at, Some("chmod g-s"));
        }
        // Without an x bit nobody executes it.
        let executable = brief.mode & 0o111 != 0;
        if executable && xattr::has_file_capabilities_at(seen.dir, seen.name).or_else(vanished)? {
            self.tell_of(What::Capabilities, brief, at, Some("setcap -r"));
        }
        let flaw = Flaw::of(brief.uid, brief.mode, 0);
        if brief.nlink > 1 && (flaw.is_some() || self.wants(What::SharedFile)) {
            self.links.add(brief, || seen.path());
        }
        if (flaw.is_some() || seen.place.mark.flawed_above) && self.wants(What::WritableProgram) {
            if executable || is_loaded(seen) {
                self.program(seen, brief, flaw);
            } else if brief.mode & 0o002 != 0 {
                self.tell_of(What::WorldWritable, brief, at, Some("chmod o-w"));
            }
        }
        Ok(())
    }

    /// A file that will be executed or loaded: it, and the directories on the way to it.
    fn program(&self, seen: &Seen<'_, Mark>, brief: &Brief, flaw: Option<Flaw>) {
        if let Some(flaw) = flaw {
            self.flawed(What::WritableProgram, seen.path(), brief, flaw);
        }
        for place in seen.place.upwards().take_while(|place| place.mark.flawed_above) {
            if let Some(flawed) = &place.mark.flawed
                && !flawed.told.swap(true, Ordering::Relaxed)
            {
                let path = self.root.path().join(place.path());
                self.flawed(What::WritableDirectory, path, &flawed.brief, flawed.flaw);
            }
        }
    }

    fn flawed(&self, what: What, path: PathBuf, brief: &Brief, flaw: Flaw) {
        let path = self.root.path().join(path);
        // Everybody's on purpose, as /tmp is: what is in it has to go elsewhere.
        let shared = what == What::WritableDirectory && brief.mode & 0o1000 != 0;
        let mend = flaw.mend_mode(&path, brief.mode, 0).filter(|_| !shared);
        let mut detail = owned(brief);
        if let Some(user) = self.user.filter(|user| user.can_write(brief)) {
            detail = format!("{detail}; uid {} can write to it", user.uid);
        }
        self.report.send(Finding::new(what, Some(path), detail).mend(mend).of(brief.id()));
    }

    fn symlink(&self, seen: &Seen<'_, Mark>) -> nix::Result<()> {
        if self.wants(What::OutsideSymlink)
            && let Some(target) = symlinks::leads_outside(self.root, seen)?
        {
            let detail = format!("to {}", isol_sys::quote::escaped(&target));
            self.tell(What::OutsideSymlink, || (seen.path(), detail), Some("rm"));
        }
        Ok(())
    }

    /// What this walk has found of files that have several names.
    pub(super) fn links(&self) {
        for file in self.links.outside() {
            let shared = Flaw::of(file.brief.uid, file.brief.mode, 0).is_none();
            let what = if shared { What::SharedFile } else { What::OutsideLink };
            if self.wants(what) {
                let path = self.root.path().join(&file.path);
                let mend = Some(copied(&path));
                let finding = Finding::new(what, Some(path), owned(&file.brief)).mend(mend);
                self.report.send(finding.of(file.brief.id()));
            }
        }
    }

    fn wants(&self, what: What) -> bool {
        self.only.is_none() || what.breaks() == self.only
    }

    fn tell(&self, what: What, at: impl FnOnce() -> (PathBuf, String), mend: Option<&str>) {
        self.make(what, None, at, mend);
    }

    fn tell_of(
        &self,
        what: What,
        brief: &Brief,
        at: impl FnOnce() -> (PathBuf, String),
        mend: Option<&str>,
    ) {
        self.make(what, Some(brief.id()), at, mend);
    }

    fn make(
        &self,
        what: What,
        id: Option<(u64, u64)>,
        at: impl FnOnce() -> (PathBuf, String),
        mend: Option<&str>,
    ) {
        if self.wants(what) {
            let (path, detail) = at();
            let path = self.root.path().join(path);
            let mend = mend.map(|command| format!("{command} {}", shell(&path)));
            let mut finding = Finding::new(what, Some(path), detail).mend(mend);
            finding.id = id;
            self.report.send(finding);
        }
    }
}

impl Seen<'_, Mark> {
    /// From the tree's root.
    pub(super) fn path(&self) -> PathBuf {
        path(self.place, self.name)
    }
}

pub(super) fn path<M>(place: &Place<M>, name: &CStr) -> PathBuf {
    let path = place.path();
    if name.is_empty() { path } else { path.join(OsStr::from_bytes(name.to_bytes())) }
}

pub(super) fn owned(brief: &Brief) -> String {
    let (uid, gid, mode) = (brief.uid, brief.gid, brief.permissions());
    format!("owner {uid}, group {gid}, mode {mode:04o}")
}

/// A copy takes the file's place. It is made where nobody else could put a link in its way.
fn copied(path: &Path) -> String {
    let path = shell(path);
    format!(
        "d=$(mktemp -d) && cp -p {path} \"$d/copy\" && mv -f \"$d/copy\" {path} && rmdir \"$d\""
    )
}

fn number(brief: &Brief) -> String {
    let (major, minor) = device::numbers(brief.rdev);
    let kind = if brief.is_block_device() { "block" } else { "character" };
    format!("{kind} {major}:{minor}, {}", owned(brief))
}

fn vanished(errno: Errno) -> nix::Result<bool> {
    // Something else by now: what is there instead has been put there meanwhile.
    if matches!(errno, Errno::ELOOP | Errno::ENXIO) { Ok(false) } else { Err(errno) }
}

/// Where syslog(3) writes to: there because it was asked for, and root's.
fn is_log(seen: &Seen<'_, Mark>, brief: &Brief) -> bool {
    brief.uid == 0
        && seen.name == c"log"
        && matches!(seen.place.path().as_os_str().as_bytes(), b"dev" | b"var/run")
}

/// Whether it is a library by its name, or a part of the loader's or the name service's configuration.
fn is_loaded(seen: &Seen<'_, Mark>) -> bool {
    let name = seen.name.to_bytes();
    if name.ends_with(b".so") || name.windows(4).any(|part| part == b".so.") {
        return true;
    }
    let Ok(name) = str::from_utf8(name) else { return false };
    let dir = seen.place;
    let is_top = |dir: &Place<Mark>, name: &CStr| dir.depth == 1 && dir.name() == name;
    if is_top(dir, c"etc") {
        return CONSULTED.contains(&name)
            || name.starts_with("ld-musl-") && name.ends_with(".path");
    }
    dir.name() == c"ld.so.conf.d" && dir.above().is_some_and(|above| is_top(above, c"etc"))
}

/// Whether programs or libraries are looked for in it, be there any or not.
fn is_searched(path: &Path) -> bool {
    let path = path.as_os_str().as_bytes();
    let path = path.strip_prefix(b"usr/").unwrap_or(path);
    let path = path.strip_prefix(b"local/").unwrap_or(path);
    match path {
        b"usr" | b"local" | b"bin" | b"sbin" | b"lib" | b"lib32" | b"lib64" | b"libexec"
        | b"etc" | b"etc/ld.so.conf.d" => true,
        // Debian's: lib/x86_64-linux-gnu.
        path => path.starts_with(b"lib/") && path[4..].split(|&b| b == b'-').any(|w| w == b"linux"),
    }
}

/// In /etc: what decides which files are loaded, and who is who.
const CONSULTED: [&str; 11] = [
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.preload",
    "ld-elf.so.conf",
    "libmap.conf",
    "libmap32.conf",
    "nsswitch.conf",
    "passwd",
    "group",
    "shells",
    "profile",
];

/// As a walk for nothing but files with several names.
pub(super) struct LinksOnly<'a> {
    pub(super) links: &'a Links,
    pub(super) all: bool,
}

impl Visitor for LinksOnly<'_> {
    type Mark = ();

    fn directory(&self, _: &Arc<Place<()>>, _: &CStr, _: BorrowedFd<'_>, _: &Brief) -> Option<()> {
        Some(())
    }

    fn other(&self, seen: &Seen<'_, ()>) -> nix::Result<Then> {
        if seen.kind == Kind::File {
            let brief = Brief::at(seen.dir, seen.name)?;
            let wanted = self.all || Flaw::of(brief.uid, brief.mode, 0).is_some();
            if brief.kind() == Kind::File && brief.nlink > 1 && wanted {
                self.links.add(&brief, || path(seen.place, seen.name));
            }
        }
        Ok(Then::Done)
    }

    // The first walk has told of all that.
    fn mount(&self, _: &Seen<'_, ()>) {}
    fn unread(&self, _: &Place<()>, _: &CStr, _: Errno) {}
}
