//! What is mounted for the jail: a copy of its root that nobody else sees, and what is asked for in it.
//!
//! FreeBSD has one table of mounts, and a mount stays until it is taken away. So nothing is mounted in the root itself, where
//! other runs would meet it: the root is mounted once more, by nullfs(5), in a directory of this run's, under a lock, and
//! the rest is mounted in there. Whoever finds the lock free takes all of it away.

mod asked;
mod below;
mod pairs;
mod permitted;
mod place;
mod put;
mod source;
mod sweep;
mod workshop;

use std::ffi::CString;

use isol_core::{
    Fault, Guarantee as G, Phase, Policy, PrepareError, Problem, RootHandle, Scene, Stage, Step,
    step_names,
};
use isol_sys::meta::Meta;
use isol_sys::nmount::{self, Forbids};
use isol_sys::{chroot, errno};

use asked::Asked;
use put::Tree;
use source::Source;
pub use sweep::sweep;
pub use workshop::LOCK;
use workshop::Workshop;

const NAME: &str = step_names::JAIL_MOUNTS;

/// The step.
#[derive(Debug)]
pub(crate) struct Mounts {
    read_only: bool,
    asked: Asked,
    /// The devices that a devfs in the root shows, once that is mounted anew.
    ruleset: i32,
    made: Option<Workshop>,
    seen: Vec<Seen>,
}

/// What is to be found inside.
#[derive(Debug)]
struct Seen {
    path: CString,
    identity: (u64, u64),
    forbids: Forbids,
}

impl Mounts {
    pub(crate) fn new(policy: &Policy, ruleset: i32) -> Self {
        let asked = Asked::new(policy);
        Self { read_only: policy.read_only, asked, ruleset, made: None, seen: Vec::new() }
    }

    fn make(&mut self, scene: &mut Scene) -> Result<(), Problem> {
        let root =
            scene.root.as_ref().ok_or_else(|| Problem::new(NAME, "no root has been opened", ""))?;
        permitted::check(self.asked.has_tmpfs())?;
        let wanted = self.asked.wanted(&scene.mounts)?;
        // From here on there is something to take back.
        let workshop = self.made.insert(Workshop::make()?);
        let source = Source::root(root)?;
        let forbids = Forbids { write: self.read_only, ..source.forbids(false) };
        let mut tree = Tree::mount(workshop, root, &source, forbids, self.ruleset)?;
        for wanted in &wanted {
            tree.put(wanted)?;
        }
        self.seen = tree.seen()?;
        let entered = tree.into_root()?;
        scene.entered = Some(entered);
        Ok(())
    }
}

/// What a hold on a uid notes down of the root that its processes have.
fn note(scene: &Scene, root: &RootHandle) -> Result<(), PrepareError> {
    let Some(hold) = &scene.uid_hold else { return Ok(()) };
    hold.note(&format!("root {} {}", root.device, root.inode))
        .map_err(|error| PrepareError::system(NAME, "can't note the root down", error))
}

impl Step for Mounts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::Prepare
    }

    fn explains(&self) -> String {
        let read_only = if self.read_only { "read-only, " } else { "" };
        format!(
            "mount the checked directory once more by nullfs, {read_only}nosuid, where only root comes, and in it what is mounted in the directory{}; end what is left in the jail, and take it all away, at the end",
            self.asked.explains()
        )
    }

    fn calls(&self) -> &'static [&'static str] {
        &["openat", "flock", "mkdirat", "getfsstat", "fchdir", "nmount", "fstat"]
    }

    fn establishes(&self) -> &'static [G] {
        &[]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        self.make(scene)?;
        match &scene.entered {
            Some(entered) => note(scene, entered),
            None => Ok(()),
        }
    }

    fn serves_one_program(&self) -> bool {
        true
    }

    fn stop(&mut self) {
        if let Some(made) = &self.made {
            made.end_jails();
        }
    }

    fn undo(&mut self) {
        if let Some(made) = self.made.take() {
            made.take_away();
        }
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        for seen in &self.seen {
            let identity = match chroot::identity(&seen.path) {
                Ok(identity) => identity,
                // The program can't get there either.
                Err(errno) if errno == errno::ACCESS => continue,
                Err(errno) => return Err(Fault::call(errno, "stat of what is mounted")),
            };
            let forbids = nmount::forbids_at(&seen.path)
                .map_err(|errno| Fault::call(errno, "statfs of what is mounted"))?;
            if identity != seen.identity || !forbids.covers(seen.forbids) {
                return Err(Fault::state("something else is mounted than what was asked for"));
            }
        }
        Ok(())
    }
}

fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Problem {
    move |error| Problem::io(NAME, what, &error)
}

fn call(what: impl Into<String>) -> impl FnOnce(isol_core::Errno) -> Problem {
    move |errno| Problem::call(NAME, what, errno)
}

/// Device and inode of something open.
fn identity(file: impl std::os::fd::AsFd) -> Result<(u64, u64), Problem> {
    let meta = Meta::of(file)
        .map_err(|error| Problem::call(NAME, "can't look at a mount", errno::from_nix(error)))?;
    Ok((meta.dev, meta.ino))
}
