//! The tree of a run that has ended is kept for the next run of the same program, which then copies nothing.
//!
//! Only a tree that nobody can have changed is given back: its program ran under an allotted uid, which owned nothing in
//! it, and every process of that uid has ended. It is kept in a directory beside the state directory that only root can
//! enter, together with a record: what every file of the host's was that it was made from, and every place in which one
//! could come up that would count instead; and what every file in the tree was when it had been made. All of that is
//! compared before the tree is used again, by device, inode, owner, mode, size, and the times of the last change of
//! contents and of anything at all: the latter can't be set back.
//!
//! One run at a time has a tree. A new run gets a `/tmp` that nobody has seen before, and the root itself can be searched
//! by its own group only: whoever has been handed a descriptor of a directory in there, by the program of an earlier run,
//! comes to nothing of the later one's.

mod identity;
mod record;
mod store;

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use isol_sys::state::StateDir;
use isol_sys::{meta::Meta, rename};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, ftruncate, unlinkat};

pub use store::{Kept, clear, list};

use super::build::{Maker, passwd_and_group};
use super::{Note, Options, PREFIX, Throwaway, ThrowawayError, random, remove_tree};
use crate::closure::Closure;
use crate::walk::Sysroot;
use record::Record;
use store::Store;

/// What a run asks for: the same again may have the same tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// The program, by its absolute path.
    pub program: PathBuf,
    /// What is added, by absolute paths.
    pub add: Vec<PathBuf>,
}

/// What has to be known of a tree to give it back.
#[derive(Debug)]
pub(super) struct Keep {
    request: Request,
    /// `None` if it is in the store already.
    record: Option<Record>,
    has_tmp: bool,
}

impl Throwaway {
    /// The tree of an earlier run that asked for the same, if there is one, nobody has it now, and everything is what it
    /// was.
    ///
    /// # Errors
    /// [`ThrowawayError`] if something is left that could not be removed. A tree that can't be used is none.
    ///
    /// # References
    /// renameat(2), fstatat(2)
    pub fn reuse(
        state: &StateDir,
        request: &Request,
        options: &Options,
    ) -> Result<Option<Self>, ThrowawayError> {
        super::build::check(options)?;
        let Some(store) = Store::existing(state) else { return Ok(None) };
        let Some(record) = store.record(request) else { return Ok(None) };
        if !record.host_is_unchanged() {
            store.remove(request)?;
            return Ok(None);
        }
        let (name, lock) = new_name(state)?;
        let tree = store.tree_name(request);
        match rename::no_replace(&store.dir, tree.as_ref(), state, name.as_ref()) {
            Ok(()) => {}
            // Another run has it.
            Err(_) => return lock.release().map(|()| None).map_err(Into::into),
        }
        let opened = super::build::open_tree(state, &name);
        let path = state.path().join(&name);
        let fd = match opened {
            Ok(fd) if record.tree_is_unchanged(&fd) => fd,
            _ => {
                remove_tree(state.as_fd(), state.path(), &name)?;
                lock.release()?;
                store.remove(request)?;
                return Ok(None);
            }
        };
        let keep = Keep { request: request.clone(), record: None, has_tmp: record.has_tmp };
        let notes = record.notes();
        let own = record.made_up.clone();
        let mut new = Self {
            state: state.clone(),
            name,
            path,
            fd,
            notes,
            made_by: std::process::id(),
            keep: Some(keep),
            lock: Some(lock),
        };
        match new.welcome(options, &own) {
            Ok(()) => Ok(Some(new)),
            Err(e) => {
                new.keep = None;
                new.take_away()?;
                Err(e)
            }
        }
    }

    /// Notes down what is needed to give this tree back when its run has ended, instead of removing it: see
    /// [`give_back`](Self::give_back).
    ///
    /// # Errors
    /// [`ThrowawayError`] if a file can't be looked at.
    pub fn remember(
        &mut self,
        request: &Request,
        source: &Sysroot,
        closure: &Closure,
    ) -> Result<(), ThrowawayError> {
        let record = Record::of(self, request, source, closure)?;
        let has_tmp = record.has_tmp;
        self.keep = Some(Keep { request: request.clone(), record: Some(record), has_tmp });
        Ok(())
    }

    /// Ends with this tree: keeps it for the next run that asks for the same, if it was
    /// [remembered](Self::remember) or is one that was kept before; else removes it.
    ///
    /// The caller promises that no process is left that ran in it, and that all that ran were of an unprivileged uid
    /// that nobody else had.
    ///
    /// # Errors
    /// [`ThrowawayError`] if something could not be removed.
    pub fn give_back(mut self) -> Result<(), ThrowawayError> {
        let Some(keep) = self.keep.take() else { return self.take_away() };
        match self.store(&keep) {
            // Not there any more: only the lock has to go.
            Ok(true) => self.lock.take().map_or(Ok(()), |lock| Ok(lock.release()?)),
            // It need not be kept.
            Ok(false) | Err(_) => self.take_away(),
        }
    }

    /// False if there is one already.
    fn store(&self, keep: &Keep) -> Result<bool, ThrowawayError> {
        if self.made_by != std::process::id() {
            return Ok(false);
        }
        let store = Store::open(&self.state)?;
        if store.has_tree(&keep.request) {
            if store.record(&keep.request).is_some() {
                return Ok(false);
            }
            // Nobody knows what it is: another version's, or what somebody was killed at.
            store.remove(&keep.request)?;
        }
        if keep.has_tmp {
            // Mostly there is nothing in it.
            if unlinkat(&self.fd, "tmp", UnlinkatFlags::RemoveDir).is_err() {
                remove_tree(self.fd.as_fd(), &self.path, "tmp")?;
            }
            make_tmp(&self.fd, &self.path)?;
        }
        if let Some(record) = &keep.record
            && !store.make_room(&keep.request, record)?
        {
            return Ok(false);
        }
        let tree = store.tree_name(&keep.request);
        match rename::no_replace(&self.state, self.name.as_ref(), &store.dir, tree.as_ref()) {
            Ok(()) => Ok(true),
            Err(Errno::EEXIST | Errno::ENOTEMPTY) => Ok(false),
            Err(e) => Err(failed("rename", &self.path)(e)),
        }
    }

    /// Makes the tree the new user's: nothing in it belongs to that user, and nobody else gets in.
    fn welcome(&mut self, options: &Options, made_up: &[String]) -> Result<(), ThrowawayError> {
        let root = Some(Uid::from_raw(0));
        let group = Some(Gid::from_raw(options.gid.get()));
        fchown(&self.fd, root, group).map_err(failed("chown", &self.path))?;
        let mode = Mode::from_bits_truncate(0o750);
        fchmod(&self.fd, mode).map_err(failed("chmod", &self.path))?;
        let etc = open_below(&self.fd, "etc").map_err(failed("open", &self.path.join("etc")))?;
        for (path, text) in passwd_and_group(options) {
            let name = path.rsplit('/').next().unwrap_or(path);
            if made_up.iter().any(|own| own == path) {
                rewrite(&etc, name, text.as_bytes()).map_err(failed("write", Path::new(path)))?;
            }
        }
        Ok(())
    }
}

fn make_tmp(root: &OwnedFd, base: &Path) -> Result<(), ThrowawayError> {
    Maker { base }.directory(root.as_fd(), Path::new("/tmp"), 0o1777).map(drop)
}

fn new_name(state: &StateDir) -> Result<(String, isol_sys::state::Lock), ThrowawayError> {
    loop {
        let name = format!("{PREFIX}{:016x}", random());
        if let Some(lock) = state.try_lock(&name)? {
            return Ok((name, lock));
        }
    }
}

fn open_below(dir: impl AsFd, name: &str) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(dir, name, flags, Mode::empty())
}

/// In place: nobody has it open. All uids that are allotted are of one length, and so it has its length already; what is
/// cut to nothing and written anew some file systems bring to the disk at once.
fn rewrite(dir: &OwnedFd, name: &str, text: &[u8]) -> nix::Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = openat(dir, name, flags, Mode::empty())?;
    let mut done = 0;
    while done < text.len() {
        done += nix::unistd::write(&file, &text[done..])?;
    }
    let len = text.len() as u64;
    if Meta::of(&file)?.size == len { Ok(()) } else { ftruncate(&file, len.cast_signed()) }
}

fn failed(call: &'static str, path: &Path) -> impl Fn(Errno) -> ThrowawayError + use<> {
    let path = path.to_owned();
    move |source| ThrowawayError::Make { call, path: path.clone(), source }
}

/// Where something that is missing in the tree would be looked at: nothing else is, so these are all the notes.
fn notes_of(null_errno: Option<i32>, has_tmp: bool) -> Vec<Note> {
    let null = null_errno.map(|errno| Note::NoNullDevice { source: Errno::from_raw(errno) });
    null.into_iter().chain((!has_tmp).then_some(Note::TmpReadOnly)).collect()
}

/// The look at a directory's own entry, links not followed.
fn look(dir: impl AsFd, path: &Path) -> nix::Result<Meta> {
    Meta::at(dir, path)
}
