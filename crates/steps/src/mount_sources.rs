//! What is to be mounted in the root is opened and looked at, and so are the places to mount it on.
//!
//! The backend mounts it later, each in its way, and compares it with what was looked at here.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use isol_core::{
    Bind, Errno, Mount, MountHandle, Policy, PrepareError, Problem, RootHandle, Scene,
    SourceHandle, Step, Tmpfs, Uid, step_names,
};
use isol_sys::below::{self, NotBelow};
use isol_sys::errno::{self, from_nix};
use isol_sys::mount::{self, Window};
use isol_sys::quote;
use isol_sys::source::{self, Source, SourceError};

const NAME: &str = step_names::MOUNT_SOURCES;

#[derive(Debug)]
pub(crate) struct MountSources {
    /// From the top down.
    asked: Vec<Asked>,
}

#[derive(Debug)]
enum Asked {
    Bind(Bind),
    Tmpfs(Tmpfs),
}

impl Asked {
    fn mount(&self) -> Mount<'_> {
        match self {
            Self::Bind(bind) => Mount::Bind(bind),
            Self::Tmpfs(tmpfs) => Mount::Tmpfs(tmpfs),
        }
    }
}

impl MountSources {
    /// If the policy asks for any.
    pub(crate) fn asked_for(policy: &Policy) -> Option<Self> {
        let asked: Vec<_> = policy
            .mounts_top_down()
            .into_iter()
            .map(|mount| match mount {
                Mount::Bind(bind) => Asked::Bind(bind.clone()),
                Mount::Tmpfs(tmpfs) => Asked::Tmpfs(tmpfs.clone()),
            })
            .collect();
        (!asked.is_empty()).then_some(Self { asked })
    }
}

impl Step for MountSources {
    tells!(Prepare, NAME, ["openat", "fstat", "readlinkat", "fstatfs"], []);

    fn explains(&self) -> String {
        let all: Vec<_> = self.asked.iter().map(|asked| asked.mount().to_string()).collect();
        format!(
            "open what is to be mounted one component at a time, following no link that somebody else could have laid; refuse what shows processes outside; look at the places: {}",
            all.join(", ")
        )
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let root =
            scene.root.as_ref().ok_or_else(|| Problem::new(NAME, "no root has been opened", ""))?;
        let mut mounts: Vec<MountHandle> = Vec::new();
        for asked in &self.asked {
            let mount = asked.mount();
            let target = mount.target();
            let (source, read_only, size) = match asked {
                Asked::Bind(bind) => (Some(open(bind, scene.caller)?), bind.read_only, None),
                Asked::Tmpfs(tmpfs) => (None, false, tmpfs.size),
            };
            let is_directory = source.as_ref().is_none_or(SourceHandle::is_directory);
            let make = place(root, &mounts, &target, is_directory)?;
            let asked = mount.to_string();
            mounts.push(MountHandle { asked, target, source, read_only, size, make });
        }
        scene.mounts = mounts;
        Ok(())
    }
}

fn open(bind: &Bind, caller: Option<Uid>) -> Result<SourceHandle, Problem> {
    let found = source::open(&bind.source, caller).map_err(|error| refusal(bind, &error))?;
    let identity = (found.meta.dev, found.meta.ino);
    check_windows(bind, &found)
        .map_err(|errno| {
            let what = format!("can't tell what --bind {bind} shows");
            Problem::call(NAME, what, errno).help("mount -t proc proc /proc   (as root)")
        })?
        .map_or(Ok(()), Err)?;
    let Source { path, directory, name, .. } = found;
    Ok(match name {
        None => SourceHandle::Directory { path, fd: directory, identity },
        Some(name) => SourceHandle::File { path, parent: directory, name, identity },
    })
}

fn refusal(bind: &Bind, error: &SourceError) -> Problem {
    let what = format!("can't take {} for --bind", quote::shown(&bind.source));
    let mut problem = Problem::new(NAME, what, error.to_string());
    problem.errno = error.errno().map(from_nix);
    if matches!(error, SourceError::Link { .. })
        && let Ok(path) = std::fs::canonicalize(&bind.source)
    {
        // Whoever reads it can tell whether that is what was meant.
        let named = Bind { source: path, ..bind.clone() };
        return problem.help(format!("name what it leads to, if that is meant: --bind {named}"));
    }
    problem
}

/// Why something would show more of the host than its files.
fn check_windows(bind: &Bind, found: &Source) -> Result<Option<Problem>, Errno> {
    let harmless = |window: Window| bind.read_only && window.may_be_read();
    let refuse = |at: &Path, window: Window| {
        let help = match window {
            // Read-only it would do.
            _ if window.may_be_read() => format!("--bind {bind}:ro, or leave it out"),
            _ if at == found.path => "leave it out".to_owned(),
            _ => format!("bind what is needed of it, and not {}", quote::shown(at)),
        };
        let shows = format!("--bind {bind} would show more than files");
        let is = format!("{} is {}", quote::shown(at), window.name());
        Problem::new(NAME, shows, is).help(help)
    };
    let window = match &found.name {
        None => mount::window(&found.directory)?,
        Some(name) => {
            mount::window(below::handle_by_name(&found.directory, name).map_err(from_nix)?)?
        }
    };
    if let Some(window) = window.filter(|&window| !harmless(window)) {
        return Ok(Some(refuse(&found.path, window)));
    }
    if found.name.is_some() {
        return Ok(None);
    }
    let all = mount::windows_below(&found.path)?;
    Ok(all.iter().find(|(_, window)| !harmless(*window)).map(|(at, window)| refuse(at, *window)))
}

/// What has to be made before something can be mounted there, if the place is in something that is mounted before it, and
/// new. Else the place has to be there.
fn place(
    root: &RootHandle,
    mounts: &[MountHandle],
    target: &Path,
    is_directory: bool,
) -> Result<Vec<PathBuf>, Problem> {
    // The deepest one that the place is in: they come from the top down.
    let around = mounts.iter().rev().find(|mount| target.starts_with(&mount.target));
    let (above, base, fd): (&Path, &Path, BorrowedFd<'_>) = match around {
        None => (Path::new("/"), &root.path, root.fd.as_fd()),
        Some(MountHandle { target: above, source: None, .. }) => {
            let made = target.ancestors().take_while(|path| path != above);
            let mut made: Vec<_> = made.map(Path::to_owned).collect();
            made.reverse();
            return Ok(made);
        }
        Some(MountHandle { target: above, source: Some(source), .. }) => match source {
            SourceHandle::Directory { path, fd, .. } => (above, path, fd.as_fd()),
            SourceHandle::File { path, .. } => {
                let why = format!("{}, which is mounted above it, is no directory", path.display());
                return Err(Problem::new(NAME, no_place(target), why));
            }
        },
    };
    let below = target.strip_prefix(above).unwrap_or(target);
    match below::find(fd, below) {
        Ok(meta) if meta.is_symlink() => Err(linked(target, &base.join(below))),
        Ok(meta) if meta.is_dir() == is_directory => Ok(Vec::new()),
        Ok(_) => {
            let why = "one of both is a directory, and the other is not";
            Err(Problem::new(NAME, no_place(target), why))
        }
        Err(error) => Err(unusable(target, base, below, is_directory, &error)),
    }
}

fn no_place(target: &Path) -> String {
    format!("nothing can be mounted on {}", target.display())
}

fn linked(target: &Path, link: &Path) -> Problem {
    let why = format!("{} is a symbolic link", quote::shown(link));
    Problem::new(NAME, no_place(target), why).help("name the directory itself")
}

fn unusable(
    target: &Path,
    base: &Path,
    below: &Path,
    is_directory: bool,
    error: &NotBelow,
) -> Problem {
    let NotBelow { component, errno } = error;
    match from_nix(*errno) {
        errno if errno == errno::NO_ENTRY => {
            let path = base.join(below);
            let why = format!("there is no {}", quote::shown(&base.join(component)));
            let (path, above) = (quote::shell(&path), path.parent().map(quote::shell));
            let problem = Problem::new(NAME, no_place(target), why);
            let problem = Problem { errno: Some(errno), ..problem };
            problem.help(match (is_directory, above) {
                (true, _) => format!("mkdir -p {path}"),
                (false, Some(above)) if component != below => {
                    format!("mkdir -p {above} && touch {path}")
                }
                (false, _) => format!("touch {path}"),
            })
        }
        errno if errno == errno::LOOP => linked(target, &base.join(component)),
        errno => Problem::call(NAME, no_place(target), errno),
    }
}
