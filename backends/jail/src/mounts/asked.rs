//! What the policy asks to be mounted, in the order in which it is.

use std::path::{Path, PathBuf};

use isol_core::{Mount, MountHandle, Policy, Problem};

use super::NAME;

/// As the policy has it, from the top down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    words: Vec<String>,
    has_tmpfs: bool,
}

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) target: PathBuf,
    pub(super) what: Content,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A new file system in memory, of so many bytes, and what has to be in it for others to be mounted on: each by its path
    /// there, and whether it is a directory.
    New { size: u64, places: Vec<(PathBuf, bool)> },
    /// Something of the host's, by its path, which has no link in it, and what it was when it was looked at.
    Source { path: PathBuf, identity: (u64, u64), read_only: bool },
}

impl Asked {
    pub(super) fn new(policy: &Policy) -> Self {
        let word = |mount| match mount {
            Mount::Tmpfs(tmpfs) => format!("; an empty {tmpfs}, noexec"),
            Mount::Bind(bind) => format!("; {bind} of the host"),
        };
        Self {
            words: policy.mounts_top_down().into_iter().map(word).collect(),
            has_tmpfs: !policy.tmpfs.is_empty(),
        }
    }

    pub(super) fn has_tmpfs(&self) -> bool {
        self.has_tmpfs
    }

    pub(super) fn explains(&self) -> String {
        self.words.concat()
    }

    /// What was looked at, in its order; a size that was left out is a tenth of the memory.
    pub(super) fn wanted(&self, mounts: &[MountHandle]) -> Result<Vec<Wanted>, Problem> {
        if mounts.len() != self.words.len() {
            return Err(Problem::new(NAME, "nobody has looked at what is to be mounted", ""));
        }
        let mut wanted: Vec<Wanted> = Vec::new();
        for mount in mounts {
            let around = wanted.iter_mut().rev().find(|w| mount.target.starts_with(&w.target));
            if let Some(Wanted { target, what: Content::New { places, .. } }) = around {
                places.extend(mount.make.iter().map(|path| place(mount, path, target)));
            }
            let what = match (&mount.source, mount.size) {
                (Some(source), _) => Content::Source {
                    path: source.path().to_owned(),
                    identity: source.identity(),
                    read_only: mount.read_only,
                },
                (None, Some(size)) => Content::New { size, places: Vec::new() },
                (None, None) => Content::New { size: tenth()?, places: Vec::new() },
            };
            wanted.push(Wanted { target: mount.target.clone(), what });
        }
        Ok(wanted)
    }
}

fn place(mount: &MountHandle, path: &Path, around: &Path) -> (PathBuf, bool) {
    let is_directory = *path != mount.target
        || mount.source.as_ref().is_none_or(isol_core::SourceHandle::is_directory);
    (path.strip_prefix(around).unwrap_or(path).to_owned(), is_directory)
}

fn tenth() -> Result<u64, Problem> {
    let all = isol_sys::limits::memory();
    Ok(all.map_err(super::call("can't tell how much memory there is"))? / 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use isol_core::User;

    #[test]
    fn what_lies_in_a_new_file_system_has_its_place_made_there() {
        let policy = Policy::confine("/srv/x")
            .user(User::Auto)
            .tmpfs("/home:1M".parse().unwrap())
            .tmpfs("/home/me/deep:1M".parse().unwrap())
            .build()
            .unwrap();
        let handle = |target: &str, make: &[&str]| MountHandle {
            asked: String::new(),
            target: target.into(),
            source: None,
            read_only: false,
            size: Some(7),
            make: make.iter().map(PathBuf::from).collect(),
        };
        let asked = Asked::new(&policy);
        assert!(asked.wanted(&[]).is_err());
        let mounts =
            [handle("/home", &[]), handle("/home/me/deep", &["/home/me", "/home/me/deep"])];
        let wanted = asked.wanted(&mounts).unwrap();
        let places = vec![("me".into(), true), ("me/deep".into(), true)];
        assert_eq!(wanted[0].what, Content::New { size: 7, places });
        assert_eq!(wanted[1].what, Content::New { size: 7, places: Vec::new() });
    }
}
