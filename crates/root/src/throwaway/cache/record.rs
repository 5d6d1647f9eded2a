//! What a kept tree was made from, and what it was when it had been made.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::sys::stat::{Mode, stat};

use super::identity::{Care, Identity};
use super::{Request, failed, look, notes_of};
use crate::closure::{Closure, EntryKind};
use crate::throwaway::{Note, Throwaway, ThrowawayError};
use crate::walk::Sysroot;

/// A record of another version is none.
const HEAD: &str = "isol-cache 2";

/// See the module.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) request: RequestText,
    /// The host's files as they were, or that there were none. A link is itself.
    entries: Vec<(PathBuf, Option<Identity>)>,
    /// The same, for directories and configurations that decide what is found: links are followed.
    searched: Vec<(PathBuf, Option<Identity>)>,
    /// What is in the tree.
    tree: Vec<(PathBuf, Identity)>,
    /// Directories in which others than isol may have made something meanwhile, and what was in them.
    listed: Vec<(PathBuf, BTreeSet<OsString>)>,
    /// The files that name the user, and are made anew.
    pub(super) made_up: Vec<String>,
    pub(super) has_tmp: bool,
    null_errno: Option<i32>,
    pub(super) bytes: u64,
}

/// The request, as bytes.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
pub(super) struct RequestText(pub(super) Vec<Vec<u8>>);

impl From<&Request> for RequestText {
    fn from(request: &Request) -> Self {
        let paths = std::iter::once(&request.program).chain(&request.add);
        Self(paths.map(|path| path.as_os_str().as_bytes().to_vec()).collect())
    }
}

impl Record {
    pub(super) fn of(
        tree: &Throwaway,
        request: &Request,
        source: &Sysroot,
        closure: &Closure,
    ) -> Result<Self, ThrowawayError> {
        let mut record = Self { request: request.into(), ..Self::default() };
        record.note_host(request, source, closure)?;
        record.note_tree(tree, closure)?;
        let null = tree.notes().iter().find_map(|note| match note {
            Note::NoNullDevice { source } => Some(*source as i32),
            _ => None,
        });
        record.null_errno = null;
        Ok(record)
    }

    fn note_host(
        &mut self,
        request: &Request,
        source: &Sysroot,
        closure: &Closure,
    ) -> Result<(), ThrowawayError> {
        // What is in a directory that was added counts, and so what comes into it.
        let added: Vec<_> = request
            .add
            .iter()
            .filter_map(|path| source.walk(path).ok().map(|trail| trail.path().to_owned()))
            .collect();
        for entry in &closure.entries {
            let path = &entry.path;
            let care = match &entry.kind {
                EntryKind::Text { .. } => continue,
                EntryKind::Directory { .. } if !added.iter().any(|dir| path.starts_with(dir)) => {
                    Care::Passed
                }
                _ => Care::Full,
            };
            let meta = look(AT_FDCWD, path).map_err(failed("fstatat", path))?;
            // The very file that was copied; what it was then is what counts.
            if let EntryKind::File { meta: then, .. } = &entry.kind {
                self.bytes += then.size;
                self.entries.push((path.clone(), Some(Identity::of(then, care))));
                continue;
            }
            self.entries.push((path.clone(), Some(Identity::of(&meta, care))));
        }
        let searched = closure.consulted.iter().chain(&closure.searched);
        for path in searched.collect::<BTreeSet<_>>() {
            let found = match stat(path.as_path()) {
                Ok(found) => Some(Identity::of(&Meta::from(&found), Care::Full)),
                Err(Errno::ENOENT | Errno::ENOTDIR) => None,
                Err(e) => return Err(failed("stat", path)(e)),
            };
            self.searched.push((path.clone(), found));
        }
        Ok(())
    }

    fn note_tree(&mut self, tree: &Throwaway, closure: &Closure) -> Result<(), ThrowawayError> {
        let has = |path: &str| closure.entries.iter().any(|entry| entry.path == Path::new(path));
        let own = ["/etc/passwd", "/etc/group"].into_iter().filter(|path| !has(path));
        self.made_up = own.map(str::to_owned).collect();
        self.has_tmp = !tree.notes().contains(&Note::TmpReadOnly);
        let mut paths: BTreeSet<_> = closure.entries.iter().map(|e| e.path.clone()).collect();
        paths.extend(["/etc", "/dev"].map(PathBuf::from));
        for path in ["/etc/passwd", "/etc/group", "/dev/null"] {
            if look(&tree.fd, below(path.as_ref())).is_ok() {
                paths.insert(PathBuf::from(path));
            }
        }
        if self.has_tmp {
            paths.remove(Path::new("/tmp"));
        }
        for path in paths {
            let meta = look(&tree.fd, below(&path)).map_err(failed("fstatat", &path))?;
            // A socket may come and go in /dev; the files that name the user are written anew.
            let changes =
                path == Path::new("/dev") || self.made_up.iter().any(|own| Path::new(own) == path);
            let care = if changes { Care::Passed } else { Care::Full };
            self.tree.push((path, Identity::of(&meta, care)));
        }
        for path in ["/", "/dev"].map(PathBuf::from) {
            let names = names(&tree.fd, &path).map_err(failed("read", &path))?;
            self.listed.push((path, names));
        }
        Ok(())
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        notes_of(self.null_errno, self.has_tmp)
    }

    pub(super) fn host_is_unchanged(&self) -> bool {
        let is_still = |found: nix::Result<Meta>, then: &Option<Identity>| match (found, then) {
            (Ok(meta), Some(then)) => then.is_still(&meta),
            (Err(Errno::ENOENT | Errno::ENOTDIR), None) => true,
            _ => false,
        };
        let entries = self.entries.iter().all(|(path, then)| is_still(look(AT_FDCWD, path), then));
        let followed = |path: &Path| stat(path).map(|found| Meta::from(&found));
        entries && self.searched.iter().all(|(path, then)| is_still(followed(path), then))
    }

    pub(super) fn tree_is_unchanged(&self, tree: &OwnedFd) -> bool {
        let is_still = |path: &Path, then: &Identity| {
            look(tree, below(path)).is_ok_and(|meta| then.is_still(&meta))
        };
        self.tree.iter().all(|(path, then)| is_still(path, then))
            && self
                .listed
                .iter()
                .all(|(path, then)| names(tree, path).is_ok_and(|now| now == *then))
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut to = format!("{HEAD}\n").into_bytes();
        let mut line = |words: String, rest: &[u8]| {
            to.extend_from_slice(words.as_bytes());
            to.push(b' ');
            // A line is a line, whatever is in a name.
            for &byte in rest {
                match byte {
                    b'\n' => to.extend_from_slice(b"\\n"),
                    b'\\' => to.extend_from_slice(b"\\\\"),
                    byte => to.push(byte),
                }
            }
            to.push(b'\n');
        };
        for path in &self.request.0 {
            line("request".to_owned(), path);
        }
        for (what, list) in [("entry", &self.entries), ("searched", &self.searched)] {
            for (path, identity) in list {
                let identity = identity.map_or("-".to_owned(), |identity| identity.write());
                line(format!("{what} {identity}"), path.as_os_str().as_bytes());
            }
        }
        for (path, identity) in &self.tree {
            line(format!("tree {}", identity.write()), path.as_os_str().as_bytes());
        }
        for (path, names) in &self.listed {
            line("list".to_owned(), path.as_os_str().as_bytes());
            names.iter().for_each(|name| line("name".to_owned(), name.as_bytes()));
        }
        self.made_up.iter().for_each(|path| line("made-up".to_owned(), path.as_bytes()));
        line(format!("tmp {}", u8::from(self.has_tmp)), b"");
        line(format!("null {}", self.null_errno.unwrap_or(0)), b"");
        line(format!("bytes {}", self.bytes), b"");
        // A record that was cut short has no end.
        line("end".to_owned(), b"");
        to
    }

    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let mut lines = text.strip_suffix(b"\n")?.split(|&b| b == b'\n');
        if lines.next()? != HEAD.as_bytes() {
            return None;
        }
        let mut record = Self::default();
        let mut ended = false;
        for line in lines {
            let (what, rest) = word(line)?;
            ended = what == "end";
            match what {
                "request" => record.request.0.push(unescaped(rest)),
                "entry" | "searched" => {
                    let (identity, path) = identified(rest)?;
                    match what {
                        "entry" => record.entries.push((path, identity)),
                        _ => record.searched.push((path, identity)),
                    }
                }
                "tree" => {
                    let (identity, path) = identified(rest)?;
                    record.tree.push((path, identity?));
                }
                "list" => record.listed.push((path(rest), BTreeSet::new())),
                "name" => {
                    record.listed.last_mut()?.1.insert(path(rest).into_os_string());
                }
                "made-up" => record.made_up.push(String::from_utf8(rest.to_vec()).ok()?),
                "tmp" => record.has_tmp = number(rest)? == 1,
                "null" => {
                    record.null_errno = Some(number(rest)? as i32).filter(|&errno| errno != 0)
                }
                "bytes" => record.bytes = number(rest)?,
                "end" => {}
                _ => return None,
            }
        }
        ended.then_some(record)
    }
}

fn word(line: &[u8]) -> Option<(&str, &[u8])> {
    let end = line.iter().position(|&b| b == b' ')?;
    Some((std::str::from_utf8(&line[..end]).ok()?, &line[end + 1..]))
}

fn number(rest: &[u8]) -> Option<u64> {
    std::str::from_utf8(rest).ok()?.trim_end().parse().ok()
}

/// `-`, or an identity, and a path.
fn identified(rest: &[u8]) -> Option<(Option<Identity>, PathBuf)> {
    if let Some(rest) = rest.strip_prefix(b"- ") {
        return Some((None, path(rest)));
    }
    let mut words = rest.splitn(11, |&b| b == b' ');
    let mut texts = words.by_ref().take(10).map(|word| std::str::from_utf8(word).unwrap_or(""));
    let identity = Identity::read(&mut texts)?;
    Some((Some(identity), path(words.next()?)))
}

fn path(escaped: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(unescaped(escaped)))
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next() {
                Some(b'n') => b'\n',
                Some(&other) => other,
                None => b'\\',
            },
            byte => byte,
        });
    }
    bytes
}

fn below(path: &Path) -> &Path {
    match path.strip_prefix("/") {
        Ok(below) if !below.as_os_str().is_empty() => below,
        _ => Path::new("."),
    }
}

fn names(tree: impl AsFd, path: &Path) -> nix::Result<BTreeSet<OsString>> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut dir = Dir::openat(tree, below(path), flags, Mode::empty())?;
    let mut names = BTreeSet::new();
    for entry in dir.iter() {
        let name = entry?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            names.insert(OsStr::from_bytes(name.as_bytes()).to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_a_cut_one_is_none() {
        let meta = Meta::of(std::fs::File::open("/").unwrap()).unwrap();
        let identity = |care| Identity::of(&meta, care);
        let odd = PathBuf::from(OsStr::from_bytes(b"/a b\n\\n\xff "));
        let record = Record {
            request: RequestText(vec![b"/bin/x".to_vec(), b"/y\nz".to_vec()]),
            entries: vec![(odd.clone(), Some(identity(Care::Full))), ("/z".into(), None)],
            searched: vec![("/lib".into(), Some(identity(Care::Full)))],
            tree: vec![(odd, identity(Care::Passed))],
            listed: vec![("/dev".into(), BTreeSet::from(["null".into(), " x\n".into()]))],
            made_up: vec!["/etc/passwd".into()],
            has_tmp: true,
            null_errno: Some(13),
            bytes: 77,
        };
        let text = record.write();
        assert_eq!(Record::read(&text).as_ref(), Some(&record));
        for len in 0..text.len() {
            assert_eq!(Record::read(&text[..len]), None, "{len}");
        }
    }
}
