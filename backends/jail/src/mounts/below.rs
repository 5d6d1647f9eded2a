//! What is mounted below something comes along: nullfs(5) shows one file system only.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use isol_core::Problem;
use isol_sys::listing::{Chunk, Kind, Listing};
use isol_sys::nmount::{self, Forbids, Mounted};
use isol_sys::{below, errno};

use super::place::Place;
use super::put::{Tree, mounting};
use super::source::Source;
use super::{NAME, call, pairs};

/// File systems that make mounts when they are looked at.
const ON_DEMAND: &str = "autofs";

impl Tree<'_> {
    /// Mounts what is mounted below a directory in the same places below `target`.
    pub(super) fn bring_below(
        &mut self,
        source: &Source,
        target: &Path,
        read_only: bool,
    ) -> Result<(), Problem> {
        let all = nmount::list().map_err(call("can't list what is mounted"))?;
        let workshop = self.workshop.path().to_owned();
        for (mount, path) in below_of(&all, &source.path, &workshop) {
            // By a link, or under another mount: whoever looks from above doesn't see it.
            let Ok(found) = Source::below(&source.at, path, &mount.on) else { continue };
            if found.mounted.id != mount.id || found.mounted.on != mount.on {
                continue;
            }
            let place = target.join(path);
            match mount.kind.as_str() {
                "devfs" => self.devices(&found, &place)?,
                _ => self.put_source(&found, &place, read_only)?,
            }
        }
        Ok(())
    }

    /// A devfs does not work through nullfs. Another one is mounted, which must not show more.
    fn devices(&mut self, source: &Source, target: &Path) -> Result<(), Problem> {
        let forbids = Forbids { write: false, exec: true, set_id: true };
        let place = Place::open(&self.fd, self.root, target, true)?;
        let request = pairs::devfs(&place.name, self.ruleset, forbids)?;
        nmount::mount(&place.at, &request).map_err(mounting("devices"))?;
        // Of a devfs the kernel tells none of its flags.
        self.look(target, true, "devfs", None, Forbids::default())?;
        let new = below::descend(&self.fd, target)
            .map_err(|e| call("can't look at devices")(errno::from_nix(e)))?;
        let (old, new) = (names(&source.at)?, names(&new)?);
        match new.into_iter().find(|name| !old.contains(name)) {
            None => Ok(()),
            Some(more) => Err(Problem::new(
                NAME,
                format!("{} can't be mounted once more", source.path.display()),
                format!(
                    "by the ruleset {} it would show {}, which it does not show now",
                    self.ruleset,
                    more.display()
                ),
            )
            .help("service devfs start, or --jail-param devfs_ruleset=N")),
        }
    }
}

/// What is mounted below a directory, each with its path from there. What is isol's own does not come along.
fn below_of<'a>(
    all: &'a [Mounted],
    top: &'a Path,
    workshop: &'a Path,
) -> impl Iterator<Item = (&'a Mounted, &'a Path)> {
    let own = workshop.parent().unwrap_or(workshop);
    all.iter().filter(move |mount| mount.kind != ON_DEMAND).filter_map(move |mount| {
        let path = mount.on.strip_prefix(top).ok()?;
        let is_own = mount.on.starts_with(own) && !top.starts_with(own);
        (!path.as_os_str().is_empty() && !is_own).then_some((mount, path))
    })
}

/// How deep devices are looked for.
const DEEPEST: usize = 8;

/// All names of devices, with those of the directories that they are in.
fn names(dir: &OwnedFd) -> Result<Vec<PathBuf>, Problem> {
    let mut names = Vec::new();
    collect(dir, Path::new(""), 0, &mut names)
        .map_err(|e| call("can't list devices")(errno::from_nix(e)))?;
    Ok(names)
}

fn collect(
    dir: impl AsFd,
    path: &Path,
    depth: usize,
    names: &mut Vec<PathBuf>,
) -> Result<(), isol_sys::below::Failed> {
    let listing = Listing::new(below::descend(&dir, Path::new("."))?)?;
    let mut chunk = Chunk::new(4096);
    let mut found: Vec<(CString, Kind)> = Vec::new();
    while listing.read(&mut chunk)? {
        found.extend(chunk.entries().map(|(name, kind)| (name.to_owned(), kind)));
    }
    for (name, kind) in found {
        use std::os::unix::ffi::OsStrExt;
        let name = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        names.push(path.join(name));
        if kind == Kind::Directory && depth < DEEPEST {
            collect(below::descend(&dir, name)?, &path.join(name), depth + 1, names)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_comes_along_and_what_is_isol_s_does_not() {
        let on = |path: &str, kind: &str| Mounted {
            id: [0, 1],
            kind: kind.into(),
            from: PathBuf::new(),
            on: path.into(),
            forbids: Forbids::default(),
        };
        let all = [
            on("/", "ufs"),
            on("/srv/www", "zfs"),
            on("/srv/www/dev", "devfs"),
            on("/srv/www2", "zfs"),
            on("/srv/www/net", "autofs"),
            on("/srv/www/run/isol/mounts-1/root", "nullfs"),
        ];
        let of = |top: &str, workshop: &str| -> Vec<String> {
            let found = below_of(&all, Path::new(top), Path::new(workshop));
            found.map(|(_, path)| path.display().to_string()).collect()
        };
        assert_eq!(of("/srv/www", "/srv/www/run/isol/mounts-2"), ["dev"]);
        assert_eq!(of("/srv/www/run/isol/root-1", "/srv/www/run/isol/mounts-2"), [""; 0]);
    }
}
