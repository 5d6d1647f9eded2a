//! The way down from `/`, one open descriptor at a time.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;

use super::Flaw;
use crate::acl;
use crate::meta::Meta;

/// Who may be able to change a component.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// Root alone, and the sticky bit does not help.
    RootOnly,
    /// Root and this user; a sticky directory will do where what comes next in the path belongs to one of
    /// the two, because then nobody else can move it away.
    OrUser(u32),
    /// As `OrUser`, for the directory in which something of the user's is about to be made.
    Above(u32),
}

/// Why the descent ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    Relative(PathBuf),
    DotDot(PathBuf),
    Open(PathBuf, Errno),
    Unsafe { component: PathBuf, what: Flaw, meta: Meta, owner: u32 },
}

/// Opens `path` and returns its descriptor, what it is, and the path without `.` and doubled slashes.
pub(crate) fn descend(path: &Path, rule: Rule) -> Result<(OwnedFd, Meta, PathBuf), Stop> {
    descend_past(path, rule, &mut |passed| passed.flaw.map_or(Ok(()), Err))
}

/// As [`descend`], but `passed` is told of every component that was opened, and of what is wrong with it, and says
/// whether that is the end.
pub(crate) fn descend_past(
    path: &Path,
    rule: Rule,
    passed: &mut dyn FnMut(Passed<'_>) -> Result<(), Stop>,
) -> Result<(OwnedFd, Meta, PathBuf), Stop> {
    // Before anything is opened: a path that is refused anyway must not touch automounters on the way.
    let mut names = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => names.push(name),
            Component::ParentDir => return Err(Stop::DotDot(path.to_owned())),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    if !path.is_absolute() {
        return Err(Stop::Relative(path.to_owned()));
    }

    let done = PathBuf::from("/");
    let fd = open("/", FLAGS, Mode::empty()).map_err(|e| Stop::Open(done.clone(), e))?;
    go_down_past(fd, done, &names, rule, passed)
}

/// As [`descend`], from a directory that is open already, and is at `done`.
pub(crate) fn go_down(
    fd: OwnedFd,
    done: PathBuf,
    names: &[&OsStr],
    rule: Rule,
) -> Result<(OwnedFd, Meta, PathBuf), Stop> {
    go_down_past(fd, done, names, rule, &mut |passed| passed.flaw.map_or(Ok(()), Err))
}

fn go_down_past(
    mut fd: OwnedFd,
    mut done: PathBuf,
    names: &[&OsStr],
    rule: Rule,
    passed: &mut dyn FnMut(Passed<'_>) -> Result<(), Stop>,
) -> Result<(OwnedFd, Meta, PathBuf), Stop> {
    let mut meta = Meta::of(&fd).map_err(|e| Stop::Open(done.clone(), e))?;
    for name in names {
        let found = flaw(&fd, &done, &meta, rule, false)?;
        passed(Passed { fd: &fd, path: &done, last: false, flaw: found })?;
        done.push(name);
        fd = open_component(&fd, name).map_err(|e| refusal(&fd, name, &done, e))?;
        meta = Meta::of(&fd).map_err(|e| Stop::Open(done.clone(), e))?;
    }
    let found = flaw(&fd, &done, &meta, rule, true)?;
    passed(Passed { fd: &fd, path: &done, last: true, flaw: found })?;
    Ok((fd, meta, done))
}

/// A component that was opened.
#[derive(Debug)]
pub(crate) struct Passed<'a> {
    pub(crate) fd: &'a OwnedFd,
    pub(crate) path: &'a Path,
    /// It is the end of the path.
    pub(crate) last: bool,
    /// What is wrong with it.
    pub(crate) flaw: Option<Stop>,
}

const FLAGS: OFlag =
    OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

fn open_component(dir: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    openat(dir, name, FLAGS, Mode::empty())
}

fn flaw(
    fd: &OwnedFd,
    component: &Path,
    meta: &Meta,
    rule: Rule,
    last: bool,
) -> Result<Option<Stop>, Stop> {
    let (owner, sticky_will_do) = match rule {
        Rule::RootOnly => (0, false),
        Rule::OrUser(user) if last => (user, false),
        Rule::OrUser(user) | Rule::Above(user) if meta.uid == user => (user, true),
        Rule::OrUser(_) | Rule::Above(_) => (0, true),
    };
    let sticky = sticky_will_do && meta.mode & 0o1000 != 0;
    let listed =
        acl::allows_beside_the_mode(fd).map_err(|e| Stop::Open(component.to_owned(), e))?;
    let flaw = Flaw::find(meta, owner).filter(|&flaw| flaw != Flaw::WritableByOthers || !sticky);
    let found = flaw.or(listed.then_some(Flaw::AccessList));
    Ok(found.map(|what| Stop::Unsafe { component: component.to_owned(), what, meta: *meta, owner }))
}

/// `open(2)` says ENOTDIR, ELOOP or EMLINK of a symbolic link, according to the system; the user reads which it is.
fn refusal(dir: &OwnedFd, name: &OsStr, component: &Path, errno: Errno) -> Stop {
    if matches!(errno, Errno::ENOTDIR | Errno::ELOOP | Errno::EMLINK)
        && let Ok(meta) = Meta::at(dir.as_fd(), name)
        && !meta.is_dir()
    {
        let what = if meta.is_symlink() { Flaw::Symlink } else { Flaw::NotDirectory };
        return Stop::Unsafe { component: component.to_owned(), what, meta, owner: 0 };
    }
    Stop::Open(component.to_owned(), errno)
}
