//! Making one thing, with the owner and mode that it is to have, and saying what it is.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use isol_sys::quote::{shell, shown};
use isol_sys::{copy, device, mount, xattr};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::{Gid, Uid, fchown, fchownat, symlinkat};
use sha2::{Digest, Sha256};

use super::contents::{Item, What};
use super::{Entry, EntryType, KeepError};
use crate::throwaway::{ThrowawayError, keep_time, open_source, unchanged};
use crate::walk::Sysroot;

/// Makes `item`, which is to be at `path` in the tree, by the name `name` in the directory `dir`, where nothing of that
/// name may be. `shown` is where that is.
pub(super) fn item(
    dir: BorrowedFd<'_>,
    name: &Path,
    shown: &Path,
    path: &Path,
    item: &Item,
    host: &Sysroot,
) -> Result<Entry, KeepError> {
    let maker = Maker { dir, name, shown };
    let mut entry = Entry {
        path: path.to_owned(),
        kind: EntryType::File,
        mode: None,
        uid: 0,
        gid: 0,
        size: None,
        sha256: None,
        capabilities: None,
        target: None,
        device: None,
        from: None,
        why: item.why,
    };
    match &item.what {
        What::Directory { mode, uid, gid } => {
            maker.directory(*mode, *uid, *gid)?;
            (entry.kind, entry.mode) = (EntryType::Directory, Some(*mode));
            (entry.uid, entry.gid) = (*uid, *gid);
        }
        What::Symlink { target } => {
            maker.link(target)?;
            (entry.kind, entry.target) = (EntryType::Symlink, Some(target.clone()));
        }
        What::File { from, meta, mode, capabilities } => {
            let source = open_source(host, from, meta)?;
            let made = maker.file()?;
            copy::contents(&source, &made).map_err(KeepError::std("copy", from))?;
            let now = isol_sys::meta::Meta::of(&source).map_err(KeepError::io("fstat", from))?;
            if !unchanged(&now, meta) {
                return Err(ThrowawayError::Changed { path: from.clone() }.into());
            }
            keep_time(&made, meta).map_err(maker.failed("utimensat"))?;
            maker.finish(made.as_fd(), *mode, 0, 0)?;
            if *capabilities {
                entry.capabilities = maker.capabilities(&source, &made)?;
            }
            (entry.mode, entry.from) = (Some(*mode), Some(from.clone()));
            maker.measure(made, &mut entry)?;
        }
        What::Text { text } => {
            let mut made = maker.file()?;
            made.write_all(text).map_err(KeepError::std("write", shown))?;
            maker.finish(made.as_fd(), 0o444, 0, 0)?;
            entry.mode = Some(0o444);
            maker.measure(made, &mut entry)?;
        }
        What::Device(device) => {
            maker.device(*device)?;
            (entry.kind, entry.mode) = (EntryType::Device, Some(0o666));
            entry.device = device.number();
        }
    }
    Ok(entry)
}

struct Maker<'a> {
    dir: BorrowedFd<'a>,
    name: &'a Path,
    shown: &'a Path,
}

impl Maker<'_> {
    fn failed(&self, call: &'static str) -> impl Fn(Errno) -> KeepError + use<> {
        KeepError::io(call, self.shown)
    }

    fn directory(&self, mode: u32, uid: u32, gid: u32) -> Result<(), KeepError> {
        mkdirat(self.dir, self.name, Mode::S_IRWXU).map_err(self.failed("make"))?;
        let made = open_dir(self.dir, self.name).map_err(self.failed("open"))?;
        self.finish(made.as_fd(), mode, uid, gid)
    }

    fn link(&self, target: &Path) -> Result<(), KeepError> {
        symlinkat(target, self.dir, self.name).map_err(self.failed("link"))?;
        let (uid, gid) = (Some(Uid::from_raw(0)), Some(Gid::from_raw(0)));
        fchownat(self.dir, self.name, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW)
            .map_err(self.failed("chown"))
    }

    fn file(&self) -> Result<File, KeepError> {
        let flags =
            OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd = openat(self.dir, self.name, flags, Mode::S_IRUSR | Mode::S_IWUSR);
        fd.map(File::from).map_err(self.failed("make"))
    }

    /// The owner first: a change of it takes set-id bits away.
    fn finish(&self, made: BorrowedFd<'_>, mode: u32, uid: u32, gid: u32) -> Result<(), KeepError> {
        fchown(made, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
            .map_err(self.failed("chown"))?;
        let mode = Mode::from_bits_truncate(mode as nix::libc::mode_t);
        fchmod(made, mode).map_err(self.failed("chmod"))
    }

    fn capabilities(&self, from: &File, to: &File) -> Result<Option<String>, KeepError> {
        let value = xattr::file_capabilities(from).map_err(self.failed("fgetxattr"))?;
        let Some(value) = value else { return Ok(None) };
        xattr::set_file_capabilities(to, &value).map_err(self.failed("fsetxattr"))?;
        Ok(Some(hexadecimal(&value)))
    }

    fn device(&self, device: device::Harmless) -> Result<(), KeepError> {
        if mount::forbids_devices(self.dir) == Ok(true) {
            let dir = self.shown.ancestors().find(|dir| dir.is_dir()).unwrap_or(self.shown);
            return Err(KeepError::CantHonour {
                what: format!("{} would be of no use", shown(self.shown)),
                why: String::from("its file system is mounted nodev"),
                help: Some(format!(
                    "mount -o remount,dev \"$(findmnt -no TARGET -T {})\"",
                    shell(dir)
                )),
            });
        }
        if Path::new(device.name()) == self.name {
            return device::make(self.dir, device).map_err(self.failed("mknod"));
        }
        // Staged under another name than its own.
        device::make(self.dir, device).map_err(self.failed("mknod"))?;
        nix::fcntl::renameat(self.dir, device.name(), self.dir, self.name)
            .map_err(self.failed("rename"))
    }

    /// Of what was made, not of what it was made from.
    fn measure(&self, made: File, entry: &mut Entry) -> Result<(), KeepError> {
        use std::io::Seek;
        let failed = KeepError::std("read", self.shown);
        (&made).rewind().map_err(&failed)?;
        let (size, digest) = digest(made).map_err(failed)?;
        (entry.size, entry.sha256) = (Some(size), Some(digest));
        Ok(())
    }
}

/// The length and the digest of what is left to read.
pub(super) fn digest(mut file: impl Read) -> std::io::Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut size = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((size, hexadecimal(&hasher.finalize()))),
            Ok(len) => {
                size += len as u64;
                hasher.update(&buffer[..len]);
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn open_dir(dir: impl AsFd, name: &Path) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(dir, name, flags, Mode::empty())
}

/// The directories from a tree's root down to where the last thing was made: things come in the order of paths.
pub(super) struct OpenDirs<'a> {
    root: BorrowedFd<'a>,
    open: Vec<(PathBuf, OwnedFd)>,
}

impl<'a> OpenDirs<'a> {
    pub(super) fn new(root: BorrowedFd<'a>) -> Self {
        Self { root, open: Vec::new() }
    }

    /// The directory that `path` is in; no link is followed on the way.
    pub(super) fn parent_of(&mut self, path: &Path) -> nix::Result<BorrowedFd<'_>> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        while self.open.last().is_some_and(|(dir, _)| !parent.starts_with(dir)) {
            self.open.pop();
        }
        let mut here = self.open.last().map_or(PathBuf::from("/"), |(dir, _)| dir.clone());
        let rest = parent.strip_prefix(&here).map_err(|_| Errno::EINVAL)?.to_owned();
        for name in rest.components() {
            let above = self.open.last().map_or(self.root, |(_, fd)| fd.as_fd());
            let fd = open_dir(above, Path::new(name.as_os_str()))?;
            here.push(name);
            self.open.push((here.clone(), fd));
        }
        Ok(self.open.last().map_or(self.root, |(_, fd)| fd.as_fd()))
    }
}
