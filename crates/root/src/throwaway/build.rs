//! Filling a new root.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use isol_sys::state::StateDir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fchmod, futimens, mkdirat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchown, getegid, geteuid, symlinkat};

use super::withheld::{Kept, Withheld, check_needed};
use super::{Note, Options, ThrowawayError};
use crate::closure::{Closure, EntryKind};
use crate::rights::{Owner, Rights};
use crate::walk::{READ, Sysroot};

/// A name that can be put between the colons of `/etc/passwd`.
pub(super) fn check(options: &Options) -> Result<(), ThrowawayError> {
    let name = &options.name;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let taken = name == "root" && !options.uid.is_root();
    if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(allowed)
        && !taken
    {
        Ok(())
    } else {
        Err(ThrowawayError::BadName { name: name.clone() })
    }
}

/// The root itself. If it can't be finished it is not left behind.
pub(super) fn make_dir(state: &StateDir, name: &str) -> Result<OwnedFd, ThrowawayError> {
    let maker = Maker { base: state.path() };
    let made = maker.directory(state.as_fd(), Path::new(name), 0o755);
    if made.is_err() {
        let _ = super::remove_tree(state.as_fd(), state.path(), name);
    }
    made
}

/// Puts everything into the root `root`, which is at `base`.
pub(super) fn fill(
    root: &OwnedFd,
    base: &Path,
    source: &Sysroot,
    closure: &Closure,
    options: &Options,
) -> Result<(Vec<Note>, Vec<Withheld>), ThrowawayError> {
    let withheld = entries(root.as_fd(), base, source, closure)?;
    check_needed(&withheld, source, closure, options)?;
    furnish(&Maker { base }, root, closure, options).map(|notes| (notes, withheld))
}

/// Puts what the closure names into the root, and says what of it is not for everybody.
///
/// Nobody may do more with a copy than with the host's file, but for one: the program itself, whose caller has asked
/// that its user run it.
pub(super) fn entries(
    root: BorrowedFd<'_>,
    base: &Path,
    source: &Sysroot,
    closure: &Closure,
) -> Result<Vec<Withheld>, ThrowawayError> {
    let maker = Maker { base };
    let program = source.walk(&closure.program).map(|trail| trail.path().to_owned());
    let program = program.unwrap_or_else(|_| closure.program.clone());
    let owner = Owner { uid: geteuid().as_raw(), gid: getegid().as_raw() };
    let mut rights = Rights::of(owner);
    let mut withheld = Vec::new();
    let mut open = OpenDirs { root, open: Vec::new() };
    for entry in &closure.entries {
        let parent = open.parent_of(&entry.path);
        match &entry.kind {
            EntryKind::Directory { mode, uid, gid } => {
                let bits = rights.directory(&entry.path, *mode, *uid, *gid);
                withheld.extend(Withheld::find(&entry.path, bits, true, Kept::Directory));
                let way = if program.starts_with(&entry.path) { 0o011 } else { 0 };
                let made = maker.directory(parent, &entry.path, 0o700 | bits | way)?;
                open.push(&entry.path, made);
            }
            EntryKind::Symlink { target } => {
                let made = symlinkat(target, parent, name(&entry.path));
                made.map_err(|e| maker.failed("symlink", &entry.path, e))?;
            }
            EntryKind::File { executable, meta } => {
                let from = open_source(source, &entry.path, meta)?;
                let to = maker.file(parent, &entry.path)?;
                copy(from, &to, &entry.path, meta, &maker)?;
                let all = if *executable { 0o555 } else { 0o444 };
                let bits = rights.file(&entry.path, meta);
                let (kind, mode) = match entry.path == program {
                    true => (Kept::Program, all),
                    false => (Kept::File, all & (0o500 | bits)),
                };
                withheld.extend(Withheld::find(&entry.path, bits, *executable, kind));
                maker.finish(&to, &entry.path, mode)?;
            }
            EntryKind::Text { text } => maker.text(parent, &entry.path, text)?,
        }
    }
    Ok(withheld)
}

/// What every root has.
fn furnish(
    maker: &Maker<'_>,
    root: &OwnedFd,
    closure: &Closure,
    options: &Options,
) -> Result<Vec<Note>, ThrowawayError> {
    let mut notes = Vec::new();
    let has = |path: &str| closure.entries.iter().any(|entry| entry.path == Path::new(path));

    let etc = maker.directory(root.as_fd(), Path::new("/etc"), 0o755)?;
    let files = passwd_and_group(options);
    for (path, text) in files {
        // One that the user has added is what the user wants.
        if !has(path) {
            maker.text(etc.as_fd(), Path::new(path), text.as_bytes())?;
        }
    }

    // Whoever may write to a directory may put another program in the place of one that is in it.
    let is_tmp = |path: &Path, kind: &EntryKind| {
        path == Path::new("/tmp") && matches!(kind, EntryKind::Directory { .. })
    };
    let mut of_tmp = closure.entries.iter().filter(|entry| entry.path.starts_with("/tmp"));
    if of_tmp.any(|entry| !is_tmp(&entry.path, &entry.kind)) {
        notes.push(Note::TmpReadOnly);
    } else {
        maker.directory(root.as_fd(), Path::new("/tmp"), 0o1777)?;
    }

    // For whoever mounts one there.
    maker.directory(root.as_fd(), Path::new("/proc"), 0o755)?;
    let dev = maker.directory(root.as_fd(), Path::new("/dev"), 0o755)?;
    if !has("/dev/null")
        && let Err(source) = isol_sys::device::make_null(&dev)
    {
        notes.push(Note::NoNullDevice { source });
    }
    Ok(notes)
}

/// Makes a place for something to be mounted on, where there is none: directories down to it, and an empty file unless
/// it is a directory itself. No link is followed.
pub(super) fn make_place(
    root: &OwnedFd,
    base: &Path,
    path: &Path,
    is_directory: bool,
) -> Result<(), ThrowawayError> {
    let maker = Maker { base };
    let mut parent = root.try_clone().map_err(|e| maker.failed("dup", path, errno(&e)))?;
    let mut done = PathBuf::from("/");
    let below = path.strip_prefix("/").unwrap_or(path);
    let mut names = below.components().peekable();
    while let Some(name) = names.next() {
        done.push(name);
        if names.peek().is_some() || is_directory {
            parent = match open_there(&parent, &done) {
                Ok(there) => there,
                Err(Errno::ENOENT) => maker.directory(parent.as_fd(), &done, 0o755)?,
                Err(e) => return Err(maker.failed("open", &done, e)),
            };
        } else if Meta::at(&parent, name.as_os_str()).is_err() {
            maker.text(parent.as_fd(), &done, b"")?;
        }
    }
    Ok(())
}

fn open_there(parent: &OwnedFd, path: &Path) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(parent, name(path), flags, Mode::empty())
}

/// The files that know root and the one user.
pub(super) fn passwd_and_group(options: &Options) -> [(&'static str, String); 2] {
    let Options { uid, gid, name } = options;
    let user = match uid.is_root() {
        true => String::new(),
        false => format!("{name}:x:{uid}:{gid}::/:{NOLOGIN}\n"),
    };
    let group = if gid.is_root() { String::new() } else { format!("{name}:x:{gid}:\n") };
    [
        ("/etc/passwd", format!("root:x:0:0::/:{NOLOGIN}\n{user}")),
        ("/etc/group", format!("root:x:0:\n{group}")),
    ]
}

/// The root `name` of the state directory.
pub(super) fn open_tree(state: &StateDir, name: &str) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(state, name, flags, Mode::empty())
}

const NOLOGIN: &str = "/usr/sbin/nologin";

/// The directories from the root to where the last entry was: the entries come in the order of a walk.
struct OpenDirs<'a> {
    root: BorrowedFd<'a>,
    open: Vec<(PathBuf, OwnedFd)>,
}

impl OpenDirs<'_> {
    fn parent_of(&mut self, path: &Path) -> BorrowedFd<'_> {
        while self.open.last().is_some_and(|(dir, _)| Some(&**dir) != path.parent()) {
            self.open.pop();
        }
        self.open.last().map_or(self.root, |(_, fd)| fd.as_fd())
    }

    fn push(&mut self, path: &Path, fd: OwnedFd) {
        self.open.push((path.to_owned(), fd));
    }
}

/// Makes things with the owner and mode that they are to have, whatever the umask.
pub(super) struct Maker<'a> {
    /// Where the root is, for messages.
    pub(super) base: &'a Path,
}

impl Maker<'_> {
    /// A directory that may be there already.
    pub(super) fn directory(
        &self,
        parent: BorrowedFd<'_>,
        path: &Path,
        mode: u32,
    ) -> Result<OwnedFd, ThrowawayError> {
        match mkdirat(parent, name(path), Mode::S_IRWXU) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(e) => return Err(self.failed("mkdir", path, e)),
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let made = openat(parent, name(path), flags, Mode::empty())
            .map_err(|e| self.failed("open", path, e))?;
        self.finish(&made, path, mode)?;
        Ok(made)
    }

    /// An empty file that was not there before.
    fn file(&self, parent: BorrowedFd<'_>, path: &Path) -> Result<File, ThrowawayError> {
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let made = openat(parent, name(path), flags, Mode::S_IWUSR)
            .map_err(|e| self.failed("open", path, e))?;
        Ok(File::from(made))
    }

    fn text(&self, parent: BorrowedFd<'_>, path: &Path, text: &[u8]) -> Result<(), ThrowawayError> {
        let mut file = self.file(parent, path)?;
        file.write_all(text).map_err(|e| self.failed("write", path, errno(&e)))?;
        self.finish(&file, path, 0o444)
    }

    fn finish(&self, made: impl AsFd, path: &Path, mode: u32) -> Result<(), ThrowawayError> {
        let made = made.as_fd();
        // On the BSDs a new file's group is its directory's.
        if geteuid().is_root() {
            let (uid, gid) = (Some(Uid::from_raw(0)), Some(Gid::from_raw(0)));
            fchown(made, uid, gid).map_err(|e| self.failed("chown", path, e))?;
        }
        let mode = Mode::from_bits_truncate(mode as nix::libc::mode_t);
        fchmod(made, mode).map_err(|e| self.failed("chmod", path, e))
    }

    fn failed(&self, call: &'static str, path: &Path, source: Errno) -> ThrowawayError {
        let below = path.strip_prefix("/").unwrap_or(path);
        ThrowawayError::Make { call, path: self.base.join(below), source }
    }
}

/// Opens a file of the closure: only the very file that was looked at.
pub(crate) fn open_source(
    source: &Sysroot,
    path: &Path,
    expected: &Meta,
) -> Result<File, ThrowawayError> {
    let failed = |source| ThrowawayError::Make { call: "open", path: path.to_owned(), source };
    let below = path.strip_prefix("/").unwrap_or(path);
    // Should a directory on the way have become a link: what counts is which file it leads to.
    let fd = openat(source, below, READ, Mode::empty()).map_err(failed)?;
    let now = Meta::of(&fd).map_err(failed)?;
    if unchanged(&now, expected) {
        Ok(File::from(fd))
    } else {
        Err(ThrowawayError::Changed { path: path.to_owned() })
    }
}

pub(crate) fn unchanged(now: &Meta, then: &Meta) -> bool {
    let contents = |meta: &Meta| (meta.dev, meta.ino, meta.size, meta.mtime, meta.mtime_nsec);
    now.is_file() && contents(now) == contents(then)
}

fn copy(
    from: File,
    to: &File,
    path: &Path,
    meta: &Meta,
    maker: &Maker<'_>,
) -> Result<(), ThrowawayError> {
    isol_sys::copy::contents(&from, to).map_err(|e| maker.failed("copy", path, errno(&e)))?;
    let now = Meta::of(&from).map_err(|e| maker.failed("fstat", path, e))?;
    if !unchanged(&now, meta) {
        return Err(ThrowawayError::Changed { path: path.to_owned() });
    }
    keep_time(to, meta).map_err(|e| maker.failed("utimensat", path, e))
}

/// Some programs compare the times of files, as Python those of sources and what it has compiled.
pub(crate) fn keep_time(to: impl AsFd, meta: &Meta) -> nix::Result<()> {
    let time = TimeSpec::new(meta.mtime, meta.mtime_nsec);
    futimens(to, &time, &time)
}

fn name(path: &Path) -> &Path {
    path.file_name().map_or(path, Path::new)
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO))
}
