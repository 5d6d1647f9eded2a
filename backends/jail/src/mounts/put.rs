//! The jail's root, mounted, and what is mounted in it.
//!
//! In two steps, so that in neither call a path is resolved that somebody else could change: what is open is mounted in the
//! workshop, to which only root comes; and this, by its path there, on what is open in the root. Then it is looked at.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use isol_core::{Problem, RootHandle};
use isol_sys::meta::Meta;
use isol_sys::nmount::{self, Forbids};
use isol_sys::{below, errno};

use super::asked::{Content, Wanted};
use super::place::Place;
use super::source::Source;
use super::workshop::Workshop;
use super::{NAME, Seen, call, identity, pairs};

/// A tree of mounts that is growing.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) workshop: &'a mut Workshop,
    /// The root itself.
    pub(super) root: &'a RootHandle,
    /// Where it is mounted.
    pub(super) path: PathBuf,
    pub(super) fd: OwnedFd,
    pub(super) ruleset: i32,
    /// What was mounted in it.
    done: Vec<Done>,
}

#[derive(Debug)]
struct Done {
    target: PathBuf,
    forbids: Forbids,
    under: Under,
}

/// What is under the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Under {
    device: u64,
    inode: u64,
    /// Whether it is itself seen through a layer, so that the device says nothing.
    layered: bool,
}

impl Under {
    fn of(source: &Source) -> Self {
        let (device, inode) = source.identity;
        Self { device, inode, layered: source.mounted.kind == LAYER }
    }

    /// Whether both may be the same.
    fn is_same(&self, other: &Self) -> bool {
        self.inode == other.inode && (self.device == other.device || self.layered || other.layered)
    }
}

const LAYER: &str = "nullfs";

impl<'a> Tree<'a> {
    /// The root, with what is mounted below it.
    pub(super) fn mount(
        workshop: &'a mut Workshop,
        root: &'a RootHandle,
        source: &Source,
        forbids: Forbids,
        ruleset: i32,
    ) -> Result<Self, Problem> {
        let path = workshop.root();
        let request = pairs::nullfs(&source.name, &path, forbids)?;
        nmount::mount(&source.at, &request).map_err(mounting("the root"))?;
        let fd = open(&path)?;
        arrived(&fd, LAYER, None, &path, Some(root.inode), forbids)?;
        let done = vec![Done { target: "/".into(), forbids, under: Under::of(source) }];
        let mut tree = Self { workshop, root, path, fd, ruleset, done };
        tree.bring_below(source, Path::new("/"), forbids.write)?;
        Ok(tree)
    }

    /// One mount that is asked for.
    pub(super) fn put(&mut self, wanted: &Wanted) -> Result<(), Problem> {
        let target = &wanted.target;
        match &wanted.what {
            Content::New { size, places } => self.put_new(target, *size, places),
            Content::Source { path, identity, read_only } => {
                self.put_bind(path, *identity, target, *read_only)
            }
        }
    }

    fn put_new(
        &mut self,
        target: &Path,
        size: u64,
        places: &[(PathBuf, bool)],
    ) -> Result<(), Problem> {
        let forbids = Forbids { write: false, exec: true, set_id: true };
        let stage = self.workshop.stage(true)?;
        let request = pairs::tmpfs(&stage, size, forbids)?;
        nmount::mount(&self.fd, &request).map_err(mounting("a file system in memory"))?;
        let staged = open(&stage)?;
        arrived(&staged, "tmpfs", None, &stage, None, forbids)?;
        // Before anybody but root can get there.
        for (path, is_directory) in places {
            make(&stage.join(path), *is_directory)
                .map_err(super::io(format!("can't make {}", target.join(path).display())))?;
        }
        let (device, inode) = identity(&staged)?;
        self.attach(&stage, Under { device, inode, layered: false }, target, true, forbids)
    }

    fn put_bind(
        &mut self,
        path: &Path,
        identity: (u64, u64),
        target: &Path,
        read_only: bool,
    ) -> Result<(), Problem> {
        let source = Source::host_s(path)?;
        if source.identity != identity {
            let what = format!("{} is not what was looked at", path.display());
            return Err(Problem::new(NAME, what, "it was changed meanwhile"));
        }
        self.put_source(&source, target, read_only)?;
        match source.is_directory {
            true => self.bring_below(&source, target, read_only),
            false => Ok(()),
        }
    }

    /// By way of the workshop.
    pub(super) fn put_source(
        &mut self,
        source: &Source,
        target: &Path,
        read_only: bool,
    ) -> Result<(), Problem> {
        let forbids = source.forbids(read_only);
        let stage = self.workshop.stage(source.is_directory)?;
        let request = pairs::nullfs(&source.name, &stage, forbids)?;
        nmount::mount(&source.at, &request)
            .map_err(mounting(&source.path.display().to_string()))?;
        let (inode, kind) = (Some(source.identity.1), LAYER);
        match source.is_directory {
            true => arrived(open(&stage)?, kind, None, &stage, inode, forbids)?,
            false => arrived(open_file(&stage)?, kind, None, &stage, inode, forbids)?,
        }
        self.attach(&stage, Under::of(source), target, source.is_directory, forbids)
    }

    fn attach(
        &mut self,
        stage: &Path,
        under: Under,
        target: &Path,
        is_directory: bool,
        forbids: Forbids,
    ) -> Result<(), Problem> {
        let place = Place::open(&self.fd, self.root, target, is_directory)?;
        self.refuse_itself(&under, &place, target)?;
        let request = pairs::nullfs(stage, &place.name, forbids)?;
        nmount::mount(&place.at, &request).map_err(mounting(&target.display().to_string()))?;
        self.look(target, is_directory, LAYER, Some((stage, under)), forbids)
    }

    /// Whether what was mounted is where it was to be, by a path that nobody has led elsewhere.
    pub(super) fn look(
        &mut self,
        target: &Path,
        is_directory: bool,
        kind: &str,
        from: Option<(&Path, Under)>,
        forbids: Forbids,
    ) -> Result<(), Problem> {
        let on = self.path.join(target.strip_prefix("/").unwrap_or(target));
        let (stage, under) = from.unzip();
        let inode = under.map(|under| under.inode);
        let failed = |error| elsewhere(target).because(errno::from_nix(error));
        match is_directory {
            true => {
                let found = below::descend(&self.fd, target).map_err(failed)?;
                arrived(found, kind, stage, &on, inode, forbids)?;
            }
            false => arrived(open_file(&on)?, kind, stage, &on, inode, forbids)?,
        }
        // Of what comes from nowhere else nothing can be mounted on itself.
        let nothing = Under { device: u64::MAX, inode: 0, layered: false };
        let under = under.unwrap_or(nothing);
        self.done.push(Done { target: target.to_owned(), forbids, under });
        Ok(())
    }

    /// What is mounted on itself: the kernel of 13.2 would take a lock twice.
    fn refuse_itself(&self, under: &Under, place: &Place, target: &Path) -> Result<(), Problem> {
        let is = Meta::at(&place.at, &place.name)
            .map_err(|error| call("can't look at a place")(errno::from_nix(error)))?;
        let on = |done: &&Done| target.starts_with(&done.target);
        let Some(there) =
            self.done.iter().rev().filter(on).max_by_key(|d| d.target.components().count())
        else {
            return Ok(());
        };
        if under.is_same(&Under { inode: is.ino, ..there.under }) {
            let what = format!("nothing can be mounted on {}", target.display());
            let why = "what is to be mounted is what is there already";
            return Err(Problem::new(NAME, what, why).help("leave it out"));
        }
        Ok(())
    }

    /// What is to be found inside. What has been mounted over since can't be.
    pub(super) fn seen(&self) -> Result<Vec<Seen>, Problem> {
        let mut seen: Vec<Seen> = Vec::new();
        for (index, Done { target, forbids, .. }) in self.done.iter().enumerate() {
            let later = &self.done[index + 1..];
            if later.iter().any(|later| target.starts_with(&later.target)) {
                continue;
            }
            let on = self.path.join(target.strip_prefix("/").unwrap_or(target));
            let meta = std::fs::symlink_metadata(&on)
                .map_err(super::io(format!("can't look at {}", target.display())))?;
            use std::os::unix::fs::MetadataExt;
            let path = CString::new(target.as_os_str().as_bytes())
                .map_err(|_| Problem::new(NAME, "a path to mount has a NUL byte in it", ""))?;
            seen.push(Seen { path, identity: (meta.dev(), meta.ino()), forbids: *forbids });
        }
        Ok(seen)
    }

    /// The root that is entered.
    pub(super) fn into_root(self) -> Result<RootHandle, Problem> {
        let (device, inode) = identity(&self.fd)?;
        Ok(RootHandle { path: self.path, fd: self.fd, device, inode })
    }
}

/// Something to mount on, whatever the umask is. Several may need the same directory.
fn make(path: &Path, is_directory: bool) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let made = match is_directory {
        true => std::fs::create_dir(path),
        false => std::fs::File::create_new(path).map(drop),
    };
    match made {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => {
            made?;
            let mode = if is_directory { 0o755 } else { 0o444 };
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        }
    }
}

pub(super) fn mounting(what: &str) -> impl FnOnce(isol_core::Errno) -> Problem {
    let what = format!("can't mount {what}");
    move |errno| {
        let problem = Problem::call(NAME, what, errno);
        if errno == errno::NO_DEVICE {
            return problem.help("kldload nullfs tmpfs   (this kernel has no such file system)");
        }
        problem
    }
}

fn open(path: &Path) -> Result<OwnedFd, Problem> {
    below::host_s(path)
        .map_err(|e| call(format!("can't open {}", path.display()))(errno::from_nix(e)))
}

/// A regular file: its directory is root's, as is the workshop.
fn open_file(path: &Path) -> Result<std::fs::File, Problem> {
    std::fs::File::open(path).map_err(super::io(format!("can't open {}", path.display())))
}

/// Whether something open is on the mount that was made, and is what was mounted.
pub(super) fn arrived(
    found: impl std::os::fd::AsFd,
    kind: &str,
    from: Option<&Path>,
    on: &Path,
    inode: Option<u64>,
    forbids: Forbids,
) -> Result<(), Problem> {
    let mounted = nmount::of(&found).map_err(call("can't look at a mount"))?;
    let is = Meta::of(&found).map_err(|e| call("can't look at a mount")(errno::from_nix(e)))?;
    let as_asked = mounted.kind == kind
        && mounted.on == on
        && from.is_none_or(|from| mounted.from == from)
        && inode.is_none_or(|inode| is.ino == inode)
        && mounted.forbids.covers(forbids);
    if as_asked { Ok(()) } else { Err(elsewhere(on).problem) }
}

struct Elsewhere {
    problem: Problem,
}

fn elsewhere(target: &Path) -> Elsewhere {
    let what = format!("what was mounted on {} is not there", target.display());
    let why = "the root, or what is mounted, was changed meanwhile";
    Elsewhere { problem: Problem::new(NAME, what, why) }
}

impl Elsewhere {
    fn because(self, errno: isol_core::Errno) -> Problem {
        Problem { errno: Some(errno), ..self.problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_directory_is_known_through_a_layer() {
        let one = Under { device: 7, inode: 42, layered: false };
        assert!(one.is_same(&one));
        assert!(one.is_same(&Under { device: 8, layered: true, ..one }));
        assert!(!one.is_same(&Under { device: 8, ..one }));
        assert!(!one.is_same(&Under { inode: 43, layered: true, ..one }));
    }
}
