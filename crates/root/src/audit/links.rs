//! Files with several names, and whether all of these are in the tree, in a bounded amount of memory.
//!
//! A file is forgotten when all of its names have been seen. Where too many are waiting for more, half of them, by
//! their numbers, are put off: the tree is walked once more for these.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use isol_sys::brief::Brief;

/// What an entry costs beside its path, in bytes, roughly.
const ENTRY: usize = 96;

#[derive(Debug)]
pub(super) struct Links {
    /// In bytes.
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: HashMap<(u64, u64), Names>,
    bytes: usize,
    now: Part,
    /// Put off for later walks.
    later: Vec<Part>,
}

/// Those files of whose scattered numbers the last bits, as many as `mask` has, are `bits`.
#[derive(Debug, Default, Clone, Copy)]
struct Part {
    mask: u64,
    bits: u64,
}

impl Part {
    fn has(self, (dev, ino): (u64, u64)) -> bool {
        let scattered = (ino ^ dev.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        scattered & self.mask == self.bits
    }

    /// This one, halved: what stays, and what is put off.
    fn halves(self) -> (Self, Self) {
        let bit = self.mask + 1;
        let mask = self.mask | bit;
        (Self { mask, bits: self.bits }, Self { mask, bits: self.bits | bit })
    }
}

#[derive(Debug)]
struct Names {
    left: u64,
    /// Of the file when it was seen first.
    brief: Brief,
    /// From the tree's root.
    path: Box<Path>,
}

/// A file with more names than were seen.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) brief: Brief,
    /// The first name that was seen.
    pub(super) path: PathBuf,
}

impl Links {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default() }
    }

    /// Counts one name of a file that has several.
    pub(super) fn add(&self, brief: &Brief, path: impl FnOnce() -> PathBuf) {
        let state = &mut *self.lock();
        if !state.now.has(brief.id()) {
            return;
        }
        if let Some(names) = state.files.get_mut(&brief.id()) {
            names.left -= 1;
            if names.left == 0
                && let Some(done) = state.files.remove(&brief.id())
            {
                state.bytes -= size(&done.path);
            }
            return;
        }
        let path = path().into_boxed_path();
        state.bytes += size(&path);
        state.files.insert(brief.id(), Names { left: brief.nlink - 1, brief: *brief, path });
        while state.bytes > self.limit && state.now.mask.count_ones() < 40 {
            state.put_half_off();
        }
    }

    /// Those of this walk that have names elsewhere.
    pub(super) fn outside(&self) -> Vec<Outside> {
        let state = &mut *self.lock();
        state.bytes = 0;
        let files = std::mem::take(&mut state.files).into_values();
        files
            .map(|names| Outside { brief: names.brief, path: names.path.into_path_buf() })
            .collect()
    }

    /// Whether the tree has to be walked once more, for files that were put off.
    pub(super) fn again(&self) -> bool {
        let state = &mut *self.lock();
        let next = state.later.pop();
        state.now = next.unwrap_or_default();
        next.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put_half_off(&mut self) {
        let (now, later) = self.now.halves();
        self.now = now;
        self.later.push(later);
        self.files.retain(|&id, _| now.has(id));
        self.files.shrink_to_fit();
        self.bytes = self.files.values().map(|names| size(&names.path)).sum();
    }
}

fn size(path: &Path) -> usize {
    ENTRY + OsStr::as_bytes(path.as_os_str()).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(ino: u64, nlink: u64) -> Brief {
        let file = std::fs::File::open("/").unwrap();
        let mut brief = Brief::of(file).unwrap();
        (brief.ino, brief.nlink) = (ino, nlink);
        brief
    }

    /// Walks a made-up tree, in which each tenth file has a name outside, as often as it is asked to.
    fn found(limit: usize) -> (Vec<u64>, usize, usize) {
        let links = Links::new(limit);
        let (mut found, mut walks, mut most) = (Vec::new(), 0, 0);
        loop {
            walks += 1;
            for name in 0..2 {
                for ino in 1..=2000 {
                    let nlink = if ino % 10 == 0 { 3 } else { 2 };
                    links.add(&brief(ino, nlink), || PathBuf::from(format!("{ino}-{name}")));
                    most = most.max(links.lock().files.len());
                }
            }
            found.extend(links.outside().iter().map(|file| file.brief.ino));
            if !links.again() {
                found.sort_unstable();
                return (found, walks, most);
            }
        }
    }

    #[test]
    fn every_file_with_a_name_outside_is_found_however_little_memory_there_is() {
        let expected: Vec<u64> = (1..=2000).filter(|ino| ino % 10 == 0).collect();
        assert_eq!(found(usize::MAX), (expected.clone(), 1, 2000));
        let (seen, walks, most) = found(20_000);
        assert_eq!(seen, expected);
        assert!(walks > 8 && most <= 200, "{walks} walks, {most} files");
    }
}
