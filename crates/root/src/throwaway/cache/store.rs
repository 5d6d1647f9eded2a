//! The directory in which trees are kept.
//!
//! `KEY.tree` is a tree that nobody uses: it comes and goes by rename(2), so that one run at most has it. `KEY.record`
//! says what it is. Whoever is killed leaves both, one, or a name that begins with a dot, and each of these is harmless: a
//! record that does not fit its tree leads to the removal of both.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use isol_sys::meta::Meta;
use isol_sys::state::StateDir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::record::{Record, RequestText};
use super::{Request, failed};
use crate::throwaway::{ThrowawayError, random, remove_tree};
use crate::walk::READ;

const TREE: &str = ".tree";
const RECORD: &str = ".record";
/// How many trees are kept, and how many bytes in all of them: the directory may be in memory.
const MAX_TREES: usize = 32;
const MAX_BYTES: u64 = 256 << 20;
/// Longer than any record of a tree of this size.
const MAX_RECORD: u64 = 64 << 20;

/// A tree that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// The program that it was made for.
    pub program: String,
    /// How many bytes its files have.
    pub bytes: u64,
}

/// The trees that are kept on this host.
///
/// # Errors
/// [`ThrowawayError`] if a directory can't be read.
///
/// ```
/// for kept in isol_root::throwaway::cache::list()? {
///     println!("{} {}", kept.bytes, kept.program);
/// }
/// # Ok::<(), isol_root::throwaway::ThrowawayError>(())
/// ```
pub fn list() -> Result<Vec<Kept>, ThrowawayError> {
    let mut kept = Vec::new();
    for store in StateDir::existing().iter().filter_map(Store::existing) {
        kept.extend(store.kept()?.into_iter().map(|(_, _, record)| Kept {
            program: String::from_utf8_lossy(record.request.0.first().map_or(&[], |p| p)).into(),
            bytes: record.bytes,
        }));
    }
    Ok(kept)
}

/// Removes all trees that are kept on this host.
///
/// # Errors
/// [`ThrowawayError`] if something can't be removed.
pub fn clear() -> Result<(), ThrowawayError> {
    for store in StateDir::existing().iter().filter_map(Store::existing) {
        for name in store.dir.entries()? {
            remove_tree(store.dir.as_fd(), store.dir.path(), &name)?;
        }
    }
    Ok(())
}

pub(super) struct Store {
    pub(super) dir: StateDir,
}

impl Store {
    pub(super) fn open(state: &StateDir) -> Result<Self, ThrowawayError> {
        Ok(Self { dir: state.cache()? })
    }

    pub(super) fn existing(state: &StateDir) -> Option<Self> {
        let dir = state.existing_cache()?;
        Some(Self { dir })
    }

    fn key(request: &Request) -> String {
        let mut hasher = DefaultHasher::new();
        request.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    pub(super) fn tree_name(&self, request: &Request) -> String {
        Self::key(request) + TREE
    }

    pub(super) fn has_tree(&self, request: &Request) -> bool {
        Meta::at(&self.dir, self.tree_name(request).as_str()).is_ok()
    }

    /// What is known of the tree for this request.
    pub(super) fn record(&self, request: &Request) -> Option<Record> {
        let record = self.read(&(Self::key(request) + RECORD))?;
        // Another request may have the same key.
        (record.request == RequestText::from(request)).then_some(record)
    }

    fn read(&self, name: &str) -> Option<Record> {
        let file = File::from(openat(&self.dir, name, READ, Mode::empty()).ok()?);
        // Most are shorter.
        let mut text = Vec::with_capacity(16 << 10);
        file.take(MAX_RECORD).read_to_end(&mut text).ok()?;
        Record::read(&text)
    }

    pub(super) fn remove(&self, request: &Request) -> Result<(), ThrowawayError> {
        self.remove_key(&Self::key(request))
    }

    fn remove_key(&self, key: &str) -> Result<(), ThrowawayError> {
        // From one moment to the next it is nobody's; whoever is killed now leaves a name that a sweep finds.
        let (tree, old) = (format!("{key}{TREE}"), format!(".{key}-{:016x}", random()));
        match renameat(&self.dir, tree.as_str(), &self.dir, old.as_str()) {
            Ok(()) => remove_tree(self.dir.as_fd(), self.dir.path(), &old)?,
            Err(Errno::ENOENT) => {}
            Err(e) => return Err(failed("rename", &self.dir.path().join(tree))(e)),
        }
        let name = format!("{key}{RECORD}");
        match unlinkat(&self.dir, name.as_str(), UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(e) => Err(failed("unlink", &self.dir.path().join(name))(e)),
        }
    }

    /// Every tree that is known, with its key and when it was recorded.
    fn kept(&self) -> Result<Vec<(i64, String, Record)>, ThrowawayError> {
        let mut kept = Vec::new();
        for name in self.dir.entries()? {
            let Some(key) = name.strip_suffix(RECORD) else { continue };
            let (Some(record), Ok(meta)) = (self.read(&name), Meta::at(&self.dir, name.as_str()))
            else {
                continue;
            };
            kept.push((meta.mtime, key.to_owned(), record));
        }
        kept.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        Ok(kept)
    }

    /// Writes the record, and removes the oldest trees until there is room; false if there is none.
    pub(super) fn make_room(
        &self,
        request: &Request,
        record: &Record,
    ) -> Result<bool, ThrowawayError> {
        if record.bytes > MAX_BYTES {
            return Ok(false);
        }
        self.sweep()?;
        let own = Self::key(request);
        let mut others = self.kept()?;
        others.retain(|(_, key, _)| *key != own);
        let mut bytes =
            others.iter().map(|(_, _, record)| record.bytes).sum::<u64>() + record.bytes;
        let mut count = others.len() + 1;
        for (_, key, old) in &others {
            if bytes <= MAX_BYTES && count <= MAX_TREES {
                break;
            }
            self.remove_key(key)?;
            (bytes, count) = (bytes - old.bytes, count - 1);
        }
        self.write(&(own + RECORD), &record.write()).map(|()| true)
    }

    /// Removes what killed processes have left half made or half removed. What is young may be somebody's work.
    fn sweep(&self) -> Result<(), ThrowawayError> {
        const OLD: i64 = 60;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        for name in
            self.dir.entries()?.iter().filter(|n| !n.ends_with(TREE) && !n.ends_with(RECORD))
        {
            let meta = Meta::at(&self.dir, name.as_str());
            if meta.is_ok_and(|meta| meta.ctime.saturating_add(OLD) < now.cast_signed()) {
                remove_tree(self.dir.as_fd(), self.dir.path(), name)?;
            }
        }
        Ok(())
    }

    fn write(&self, name: &str, text: &[u8]) -> Result<(), ThrowawayError> {
        let path = self.dir.path().join(name);
        let new = format!(".{name}-{}", std::process::id());
        let flags = OFlag::O_WRONLY
            | OFlag::O_CREAT
            | OFlag::O_TRUNC
            | OFlag::O_NOFOLLOW
            | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let fd = openat(&self.dir, Path::new(&new), flags, mode).map_err(failed("make", &path))?;
        File::from(fd).write_all(text).map_err(|e| {
            let errno = e.raw_os_error().unwrap_or(nix::libc::EIO);
            failed("write", &path)(Errno::from_raw(errno))
        })?;
        renameat(&self.dir, new.as_str(), &self.dir, name).map_err(failed("rename", &path))
    }
}
