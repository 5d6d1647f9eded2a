//! A walk over all of a tree by several threads, in memory that does not grow with the tree.
//!
//! Each thread goes down on its own. Of a directory it holds the descriptor, one piece of the listing, and the
//! names of those directories in that piece that it has not been in yet. When another thread is idle, it gives
//! away the highest directory that it has not been in, or, where there is none, a share in a listing that it has not
//! finished. Below a certain depth the highest directories are closed, and opened again on the way back. What grows with
//! the tree is its depth alone: a name a level.

mod level;
mod queue;

use std::ffi::CStr;
use std::num::NonZero;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use isol_sys::below::{self, Opened};
use isol_sys::brief::Brief;
use isol_sys::listing::{Chunk, Kind, Listing};
use nix::errno::Errno;

use super::place::Place;
use crate::walk::errno;
use level::{Level, Open};
use queue::Queue;

/// How much of a directory is read at once, in bytes.
const PIECE: usize = 32 * 1024;
/// How often something is looked at once more that is another thing each time.
const ATTEMPTS: usize = 4;

/// One name in a directory.
pub(super) struct Seen<'a, M> {
    pub(super) dir: BorrowedFd<'a>,
    pub(super) place: &'a Arc<Place<M>>,
    pub(super) name: &'a CStr,
    /// What the directory says that it is: not `Directory`, and `Unknown` only if it is of no kind known.
    pub(super) kind: Kind,
}

/// What becomes of something that a visitor was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It is done with.
    Done,
    /// It is a directory by now.
    Directory,
}

/// Who looks at what the crew finds. Each method is called by any thread at any time.
pub(super) trait Visitor: Sync {
    /// What is remembered of a directory.
    type Mark: Send + Sync;

    /// A directory that has been opened, before anything in it; `None` if it is not to be gone into.
    fn directory(
        &self,
        above: &Arc<Place<Self::Mark>>,
        name: &CStr,
        dir: BorrowedFd<'_>,
        brief: &Brief,
    ) -> Option<Self::Mark>;

    /// Anything else.
    fn other(&self, seen: &Seen<'_, Self::Mark>) -> nix::Result<Then>;

    /// A directory on which something is mounted, and that is not gone into.
    fn mount(&self, seen: &Seen<'_, Self::Mark>);

    /// Something that could not be looked at. `name` is empty for the directory itself.
    fn unread(&self, place: &Place<Self::Mark>, name: &CStr, why: Errno);

    /// So many names have been looked at.
    fn count(&self, _names: u64) {}
}

/// How to walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) threads: NonZero<usize>,
    /// Into what is mounted in the tree, too.
    pub(super) across: bool,
    /// How many directories a thread holds open at most.
    pub(super) open: usize,
}

/// Shows everything below the directory `root` to `visitor`.
pub(super) fn walk<V: Visitor>(
    root: OwnedFd,
    brief: &Brief,
    mark: V::Mark,
    way: Way,
    visitor: &V,
) -> nix::Result<()> {
    let place = Place::root(brief.id(), mark);
    let copy = root.try_clone().map_err(|e| errno(&e))?;
    let crew = Crew { visitor, way, queue: Queue::new(way.threads.get()), root: copy };
    crew.queue.push(Open::new(Listing::new(root)?, place));
    std::thread::scope(|scope| {
        for _ in 1..way.threads.get() {
            scope.spawn(|| crew.work());
        }
        crew.work();
    });
    Ok(())
}

struct Crew<'a, V: Visitor> {
    visitor: &'a V,
    way: Way,
    queue: Queue<Arc<Open<V::Mark>>>,
    /// For the way back where `..` has become another directory.
    root: OwnedFd,
}

impl<V: Visitor> Crew<'_, V> {
    fn work(&self) {
        let _end = self.queue.ends_with_this_thread();
        let mut chunk = Chunk::new(PIECE);
        while let Some(dir) = self.queue.next() {
            self.descend(Level::new(dir), &mut chunk);
        }
    }

    fn descend(&self, top: Level<V::Mark>, chunk: &mut Chunk) {
        let mut stack = vec![top];
        // So many levels from the top are closed.
        let mut closed = 0;
        while !stack.is_empty() {
            if self.queue.is_wanting() {
                self.share(&mut stack[closed..]);
            }
            let Some(level) = stack.last_mut() else { return };
            if let Some(name) = level.names.pop() {
                if let Some(dir) = self.enter(level, &name) {
                    stack.push(Level::new(dir));
                    if stack.len() - closed > self.way.open.max(2) {
                        self.close(&mut stack[closed], chunk);
                        closed += 1;
                    }
                }
            } else if level.listed {
                self.leave(&mut stack, &mut closed);
            } else {
                self.list(level, chunk);
            }
        }
    }

    /// Gives an idle thread something to do, as high up as there is something.
    fn share(&self, open: &mut [Level<V::Mark>]) {
        if let Some(level) = open.iter_mut().find(|level| !level.names.is_empty()) {
            if let Some(name) = level.names.pop()
                && let Some(dir) = self.enter(level, &name)
            {
                self.queue.push(dir);
            }
        } else if let Some(dir) = open.iter().find(|l| l.is_large()).and_then(|l| l.dir.clone()) {
            self.queue.push(dir);
        }
    }

    /// Looks at one more piece of a directory.
    fn list(&self, level: &mut Level<V::Mark>, chunk: &mut Chunk) {
        let Some(dir) = level.dir.clone() else { return };
        match dir.listing.read(chunk) {
            Ok(true) => level.full = chunk.is_full(),
            Ok(false) => return level.listed = true,
            Err(why) => {
                self.visitor.unread(&level.place, c"", why);
                return level.listed = true;
            }
        }
        let mut names = 0;
        for (name, kind) in chunk.entries() {
            names += 1;
            if kind == Kind::Directory {
                level.names.push(name);
            } else {
                self.look(level, &dir, name, kind);
            }
        }
        self.visitor.count(names);
    }

    fn look(&self, level: &mut Level<V::Mark>, dir: &Open<V::Mark>, name: &CStr, mut kind: Kind) {
        let result = (|| {
            if kind == Kind::Unknown {
                kind = Brief::at(dir.as_fd(), name)?.kind();
            }
            if kind == Kind::Directory {
                return Ok(Then::Directory);
            }
            self.visitor.other(&Seen { dir: dir.as_fd(), place: &level.place, name, kind })
        })();
        match result {
            Ok(Then::Done) => {}
            Ok(Then::Directory) => level.names.push(name),
            // Removed since the directory was read.
            Err(Errno::ENOENT) => {}
            Err(why) => self.visitor.unread(&level.place, name, why),
        }
    }

    /// Opens a directory of a level's.
    fn enter(&self, level: &mut Level<V::Mark>, name: &CStr) -> Option<Arc<Open<V::Mark>>> {
        let above = level.dir.clone()?;
        for _ in 0..ATTEMPTS {
            match below::directory(above.as_fd(), name, level.place.id.0, self.way.across) {
                Ok(Opened::Directory(fd, brief)) => {
                    // Nothing else can be in itself.
                    let mounted = brief.mounted.unwrap_or(brief.dev != level.place.id.0);
                    if mounted && level.place.upwards().any(|place| place.id == brief.id()) {
                        self.visitor.unread(&level.place, name, Errno::ELOOP);
                        return None;
                    }
                    let mark = self.visitor.directory(&level.place, name, fd.as_fd(), &brief)?;
                    let place = Place::below(&level.place, name, brief.id(), mark);
                    return match Listing::new(fd) {
                        Ok(listing) => Some(Open::new(listing, place)),
                        Err(why) => {
                            self.visitor.unread(&place, c"", why);
                            None
                        }
                    };
                }
                Ok(Opened::Mount) => {
                    let (dir, place) = (above.as_fd(), &level.place);
                    self.visitor.mount(&Seen { dir, place, name, kind: Kind::Directory });
                    return None;
                }
                Err(Errno::ENOENT) => return None,
                // Something else by now.
                Err(Errno::ENOTDIR | Errno::ELOOP | Errno::EMLINK) => {
                    let before = level.names.len();
                    self.look(level, &above, name, Kind::Unknown);
                    if level.names.len() == before {
                        return None;
                    }
                    level.names.pop();
                }
                Err(why) => {
                    self.visitor.unread(&level.place, name, why);
                    return None;
                }
            }
        }
        self.visitor.unread(&level.place, name, Errno::EAGAIN);
        None
    }

    /// Frees the descriptor of a directory; what it lists besides directories is looked at before.
    fn close(&self, level: &mut Level<V::Mark>, chunk: &mut Chunk) {
        while !level.listed {
            self.list(level, chunk);
        }
        level.dir = None;
    }

    /// Back to the directory above: to the same one that we came from.
    fn leave(&self, stack: &mut Vec<Level<V::Mark>>, closed: &mut usize) {
        let done = stack.pop();
        let Some(level) = stack.last_mut().filter(|level| level.dir.is_none()) else { return };
        *closed -= 1;
        let by_dots = done
            .and_then(|level| level.dir)
            .and_then(|below| self.reopen(below.as_fd(), c"..", &level.place));
        match by_dots.or_else(|| self.reach_anew(&level.place)) {
            Some(dir) => level.dir = Some(dir),
            None => {
                self.visitor.unread(&level.place, c"", Errno::ESTALE);
                level.names.clear();
            }
        }
    }

    fn reach_anew(&self, place: &Arc<Place<V::Mark>>) -> Option<Arc<Open<V::Mark>>> {
        let mut down: Vec<_> = place.upwards().collect();
        down.pop();
        let mut here = self.root.try_clone().ok()?;
        while let Some(next) = down.pop() {
            match below::directory(&here, next.name(), here_dev(&here)?, self.way.across).ok()? {
                Opened::Directory(fd, brief) if brief.id() == next.id => here = fd,
                _ => return None,
            }
        }
        self.reopen(here.as_fd(), c".", place)
    }

    fn reopen(
        &self,
        from: BorrowedFd<'_>,
        name: &CStr,
        place: &Arc<Place<V::Mark>>,
    ) -> Option<Arc<Open<V::Mark>>> {
        // It was on the way down that mounts were looked at.
        match below::directory(from, name, place.id.0, true) {
            Ok(Opened::Directory(fd, brief)) if brief.id() == place.id => {
                Some(Open::new(Listing::new(fd).ok()?, Arc::clone(place)))
            }
            _ => None,
        }
    }
}

fn here_dev(dir: &OwnedFd) -> Option<u64> {
    Brief::of(dir).ok().map(|brief| brief.dev)
}

#[cfg(test)]
pub(super) mod tests;
