//! A root made for one run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use isol_core::{Hold, Kind, Mount, Policy, PrepareError, Problem, Scene, Step, step_names};
use isol_root::throwaway::cache::Request;
use isol_root::throwaway::{Note, Options, Throwaway, ThrowawayError};
use isol_root::walk::WalkError;
use isol_root::{Resolver, Sysroot, find_program};
use isol_sys::state::StateDir;

use super::known::Known;
use super::program::problem as closure_problem;

#[derive(Debug)]
pub(crate) struct ThrowAwayRoot {
    add: Vec<PathBuf>,
    /// Where something is to be mounted in it, and whether on a directory.
    places: Vec<(PathBuf, bool)>,
    /// Whether it is an ordinary user who makes it.
    as_caller: bool,
    made: Option<Throwaway>,
    known: Known,
    /// Who says that everything that ran in it has ended.
    hold: Option<Arc<dyn Hold>>,
}

impl ThrowAwayRoot {
    pub(super) fn new(add: Vec<PathBuf>, policy: &Policy, as_caller: bool, known: Known) -> Self {
        Self { add, places: places(policy), as_caller, made: None, known, hold: None }
    }

    /// What is asked to be mounted in it has to be mounted on something.
    fn make_places(&self, made: &Throwaway) -> Result<(), ThrowawayError> {
        self.places
            .iter()
            .try_for_each(|(place, on_directory)| made.make_place(place, *on_directory))
    }

    /// What the run asks for.
    fn request(&self, program: PathBuf) -> Result<Request, PrepareError> {
        let add = self.add.iter().map(std::path::absolute).collect::<Result<Vec<_>, _>>();
        let add = add.map_err(|e| {
            PrepareError::system(step_names::THROW_AWAY_ROOT, "can't tell where this is", e)
        })?;
        Ok(Request { program, add })
    }

    /// The tree of an earlier run, or a new one.
    fn make(
        &self,
        host: &Sysroot,
        request: &Request,
        options: &Options,
    ) -> Result<Throwaway, PrepareError> {
        let unusable = |error| unusable(&error);
        let state = StateDir::open_for_roots().map_err(|error| unusable(error.into()))?;
        // Only a uid that was allotted is nobody's afterwards, so that the tree can be another's.
        let keeps = self.hold.is_some() && !options.uid.is_root() && self.places.is_empty();
        if keeps && let Some(made) = Throwaway::reuse(&state, request, options).map_err(unusable)? {
            // It was given back by a run whose look into it was over: see `undo`.
            self.known.is_unchanged(made.id().map_err(unusable)?);
            return Ok(made);
        }
        let closure = Resolver::new(host)
            .closure(&request.program, &request.add)
            .map_err(|error| closure_problem(&error, step_names::THROW_AWAY_ROOT, None))?;
        let mut made = Throwaway::create(&state, host, &closure, options).map_err(unusable)?;
        made.check_asked(host, &request.add, options).map_err(|e| unusable_for_asked(&e))?;
        if keeps {
            made.remember(request, host, &closure).map_err(unusable)?;
        }
        Ok(made)
    }
}

/// But for those that lie in something that is mounted before.
fn places(policy: &Policy) -> Vec<(PathBuf, bool)> {
    let mut places: Vec<(PathBuf, bool)> = Vec::new();
    for mount in policy.mounts_top_down() {
        let target = mount.target();
        if places.iter().any(|(above, _)| target.starts_with(above)) {
            continue;
        }
        let on_directory = match mount {
            // One that is not there is refused when it is opened.
            Mount::Bind(bind) => bind.source.metadata().is_ok_and(|meta| meta.is_dir()),
            Mount::Tmpfs(_) => true,
        };
        places.push((target, on_directory));
    }
    places
}

impl Step for ThrowAwayRoot {
    fn name(&self) -> &'static str {
        step_names::THROW_AWAY_ROOT
    }

    fn phase(&self) -> isol_core::Phase {
        isol_core::Phase::Prepare
    }

    fn explains(&self) -> String {
        let added: Vec<_> = self.add.iter().map(|p| format!(", {}", p.display())).collect();
        let whose = if self.as_caller { "the caller's own" } else { "root's" };
        format!(
            "make a tree of {whose} with the program, all that it loads{} and an empty /tmp; remove it at the end",
            added.concat()
        )
    }

    fn calls(&self) -> &'static [&'static str] {
        &["mkdirat", "openat", "copy_file_range", "mknodat", "flock"]
    }

    fn establishes(&self) -> &'static [isol_core::Guarantee] {
        &[isol_core::Guarantee::RootSafe, isol_core::Guarantee::RootClean]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let name = self.name();
        let command =
            scene.command.take().ok_or_else(|| Problem::new(name, "no program is named", ""))?;
        let ids = scene
            .ids
            .clone()
            .ok_or_else(|| Problem::new(name, "nobody has said who the program will be", ""))?;
        let host = Sysroot::open(Path::new("/")).map_err(|error| walk_problem(&error, name))?;
        let found = find_program(command.program().as_os_str(), &host)
            .map_err(|error| closure_problem(&error, name, None))?;
        let found = std::path::absolute(found)
            .map_err(|e| PrepareError::system(name, "can't tell where this is", e))?;
        self.hold.clone_from(&scene.uid_hold);
        let request = self.request(found)?;
        let made = self.make(&host, &request, &Options::new(ids.uid, ids.gid))?;
        self.make_places(&made).map_err(|error| unusable(&error))?;
        // What an ordinary user can't make is mounted by the only backend that he has.
        let is_told = |note: &&Note| !(self.as_caller && matches!(note, Note::NoNullDevice { .. }));
        scene.notes.extend(made.notes().iter().filter(is_told).map(ToString::to_string));
        scene.root_path = Some(made.path().to_owned());
        scene.command = Some(command.found_at(request.program));
        self.made = Some(made);
        Ok(())
    }

    fn serves_one_program(&self) -> bool {
        true
    }

    fn undo(&mut self) {
        // What can't be removed stays under its lock, which the next run finds.
        let over = self.hold.take().is_some_and(|hold| hold.is_over()) && self.known.has_passed();
        if let Some(made) = self.made.take() {
            let _ = if over { made.give_back() } else { made.remove() };
        }
    }
}

fn unusable(error: &ThrowawayError) -> Problem {
    let problem = Problem::new(step_names::THROW_AWAY_ROOT, "can't make a root", error.to_string());
    let problem = match error {
        ThrowawayError::Withheld { .. } => problem.kind(Kind::NotExecutable),
        _ => problem,
    };
    problem.help(error.mend().unwrap_or_else(|| "name a root: --root DIR".into()))
}

/// What was asked for by name is there, or is refused; it is not what is executed. No command makes it everybody's: it may
/// be a secret.
fn unusable_for_asked(error: &ThrowawayError) -> Problem {
    unusable(error).kind(Kind::Refused).help("leave it out, or add a copy that everybody may read")
}

pub(crate) fn walk_problem(error: &WalkError, step: &'static str) -> Problem {
    let kind = if error.is_missing() { Kind::NotFound } else { Kind::Refused };
    Problem::new(step, error.to_string(), "").kind(kind)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;

    use isol_core::{Command, Gid, Ids, Mode, Uid};
    use isol_root::throwaway::cache;

    use super::*;

    #[derive(Debug)]
    struct Over;

    impl Hold for Over {
        fn note(&self, _text: &str) -> io::Result<()> {
            Ok(())
        }

        fn is_over(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_tree_that_nobody_has_looked_into_is_not_kept() {
        if isol_sys::ids::effective_uid() != 0 {
            assert!(std::env::var_os("ISOL_MUST_RUN").is_none(), "this needs root");
            return;
        }
        let base = PathBuf::from(format!("/opt/isol-looking-{}", std::process::id()));
        fs::create_dir(&base).unwrap();
        let program = base.join("true");
        fs::copy("/bin/true", &program).unwrap();
        let policy = Policy::throw_away([]).user(isol_core::User::Auto).build().unwrap();
        let is_kept = || {
            let name = program.to_str().unwrap();
            cache::list().unwrap().iter().any(|kept| kept.program == name)
        };
        for passes in [false, true] {
            let known = Known::default();
            let mut step = ThrowAwayRoot::new(Vec::new(), &policy, false, known.clone());
            let mut scene = Scene::new(Mode::Spawn, Some(Command::new(&program)));
            let (uid, gid) = (Uid::new(61_184).unwrap(), Gid::new(61_184).unwrap());
            scene.ids = Some(Ids::new(uid, gid, Vec::new()));
            scene.uid_hold = Some(Arc::new(Over));
            step.prepare(&mut scene).unwrap();
            assert!(!known.was_looked_at(step.made.as_ref().unwrap().id().unwrap()));
            if passes {
                known.pass();
            }
            step.undo();
            assert_eq!(is_kept(), passes);
        }
        // The next one has the same tree, which need not be looked into.
        let known = Known::default();
        let mut step = ThrowAwayRoot::new(Vec::new(), &policy, false, known.clone());
        let mut scene = Scene::new(Mode::Spawn, Some(Command::new(&program)));
        let (uid, gid) = (Uid::new(61_185).unwrap(), Gid::new(61_185).unwrap());
        scene.ids = Some(Ids::new(uid, gid, Vec::new()));
        scene.uid_hold = Some(Arc::new(Over));
        step.prepare(&mut scene).unwrap();
        let (device, inode) = step.made.as_ref().unwrap().id().unwrap();
        assert!(known.was_looked_at((device, inode)) && !known.was_looked_at((device, inode + 1)));
        known.pass();
        step.undo();
        // Nobody wants it any more.
        fs::remove_dir_all(base).unwrap();
        let state = StateDir::open_for_roots().unwrap();
        let request = step.request(program.clone()).unwrap();
        assert!(Throwaway::reuse(&state, &request, &Options::new(uid, gid)).unwrap().is_none());
        assert!(!is_kept());
    }
}
