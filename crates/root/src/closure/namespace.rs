//! The objects in one process, loaded in the loader's order: breadth first, each name once.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use isol_sys::meta::Meta;

use super::tree::Tree;
use super::{ClosureError, MissingLibrary, Place};
use crate::elf::{Elf, Kind};
use crate::loader::{Candidate, Library, Loader, Object};
use crate::walk::{Sysroot, Trail, WalkError};

/// The directory in which a library was looked for. One for newer processors is mostly not there at all: then it is the
/// one in which it would be.
fn looked_in(candidate: &Candidate, error: &WalkError) -> Option<PathBuf> {
    match error {
        WalkError::Missing { component, .. }
            if candidate.variant && component.ends_with("glibc-hwcaps") =>
        {
            component.parent().map(Path::to_owned)
        }
        _ => candidate.path.parent().map(Path::to_owned),
    }
}

/// What is loaded into one process.
#[derive(Debug, Clone)]
pub(super) struct Namespace<'a> {
    root: &'a Sysroot,
    loader: Rc<Loader>,
    /// With the number of the one that asked for it first.
    objects: Vec<(Object, Option<usize>)>,
    /// Up to where `objects` have had their libraries looked up.
    done: usize,
    names: HashMap<OsString, usize>,
    files: HashMap<(u64, u64), usize>,
    pub(super) found: Vec<Library>,
    pub(super) loaded: Vec<PathBuf>,
    pub(super) missing: Vec<MissingLibrary>,
    /// Where something was looked for before it was found elsewhere.
    pub(super) searched: Vec<PathBuf>,
    /// A library with which the loader refuses to start anything on this host.
    pub(super) unfit: Option<(PathBuf, Elf)>,
}

impl<'a> Namespace<'a> {
    pub(super) fn new(root: &'a Sysroot, loader: Rc<Loader>, program: Object, meta: &Meta) -> Self {
        Self {
            root,
            loader,
            objects: vec![(program, None)],
            done: 0,
            names: HashMap::new(),
            files: HashMap::from([((meta.dev, meta.ino), 0)]),
            found: Vec::new(),
            loaded: Vec::new(),
            missing: Vec::new(),
            searched: Vec::new(),
            unfit: None,
        }
    }

    pub(super) fn loader(&self) -> Rc<Loader> {
        Rc::clone(&self.loader)
    }

    /// A copy to which a shared object is added that the program loads later: what is loaded by then, it finds.
    /// The lists are of what is new.
    pub(super) fn with(&self, object: Object, meta: &Meta) -> Self {
        let mut copy = self.clone();
        (copy.found, copy.loaded, copy.missing) = (Vec::new(), Vec::new(), Vec::new());
        copy.searched = Vec::new();
        copy.add(object, meta);
        copy
    }

    fn add(&mut self, object: Object, meta: &Meta) {
        if !self.files.contains_key(&(meta.dev, meta.ino)) {
            self.files.insert((meta.dev, meta.ino), self.objects.len());
            self.objects.push((object, Some(0)));
        }
    }

    /// Looks up what is needed, and what that needs, until nothing new turns up.
    pub(super) fn fill(&mut self, tree: &mut Tree) -> Result<(), ClosureError> {
        while self.done < self.objects.len() {
            for name in self.objects[self.done].0.elf.needed.clone() {
                if !self.names.contains_key(&name) && !self.loader.provides(&name) {
                    self.load(&name, self.done, tree)?;
                }
            }
            self.done += 1;
        }
        Ok(())
    }

    fn load(&mut self, name: &OsStr, by: usize, tree: &mut Tree) -> Result<(), ClosureError> {
        let candidates = self.loader.candidates(name, &self.chain(by));
        let (mut searched, mut unfit) = (Vec::<PathBuf>::new(), Vec::new());
        let mut any = false;
        for candidate in candidates {
            match self.fitting(&candidate.path) {
                Ok(Some((trail, elf))) => {
                    tree.add(&trail);
                    self.take(name, candidate.path, &trail, elf, by);
                    any = true;
                    // Whether a variant is taken is up to the processor: the plain build goes with it.
                    if !candidate.variant {
                        return Ok(());
                    }
                }
                Ok(None) => unfit.push(candidate.path),
                Err(ClosureError::Walk(e)) if e.is_missing() => {
                    self.searched.extend(looked_in(&candidate, &e));
                    let dir = candidate.path.parent().filter(|_| !candidate.variant);
                    if let Some(dir) = dir.filter(|dir| !searched.iter().any(|s| s == dir)) {
                        searched.push(dir.to_owned());
                    }
                }
                Err(e) => return Err(e),
            }
        }
        if !any {
            // Once is enough, whoever else needs it.
            self.names.insert(name.to_owned(), by);
            self.missing.push(MissingLibrary {
                library: name.to_owned(),
                needed_by: self.objects[by].0.path.clone(),
                searched,
                unfit,
                place: Place::of(self.root),
            });
        }
        Ok(())
    }

    /// The object `by`, the one that loaded it, and so on to the program.
    fn chain(&self, by: usize) -> Vec<&Object> {
        let mut chain = Vec::new();
        let mut next = Some(by);
        while let Some((object, parent)) = next.and_then(|n| self.objects.get(n)) {
            chain.push(object);
            next = *parent;
        }
        chain
    }

    /// The library at `path`; `None` if it is none for this program, in which case the loaders look further.
    fn fitting(&self, path: &Path) -> Result<Option<(Trail, Elf)>, ClosureError> {
        let trail = self.root.walk(path)?;
        if !trail.last().meta.is_file() {
            return Ok(None);
        }
        let elf = Elf::read(&trail.open_file()?);
        let fits = |elf: &Elf| elf.machine == self.loader.machine && elf.kind == Kind::Shared;
        Ok(elf.ok().filter(fits).map(|elf| (trail, elf)))
    }

    fn take(&mut self, name: &OsStr, path: PathBuf, trail: &Trail, elf: Elf, by: usize) {
        let meta = trail.last().meta;
        self.loaded.push(path.clone());
        if self.unfit.is_none() && crate::host::unfit(&elf).is_some() {
            self.unfit = Some((path.clone(), elf.clone()));
        }
        // The same file by another name is the same object.
        let known = self.files.get(&(meta.dev, meta.ino)).copied();
        let number = known.unwrap_or(self.objects.len());
        self.names.insert(name.to_owned(), number);
        let library = Library { name: name.to_owned(), path: path.clone(), machine: elf.machine };
        self.found.push(library);
        if known.is_none() {
            self.files.insert((meta.dev, meta.ino), number);
            if let Some(soname) = &elf.soname {
                self.names.entry(soname.clone()).or_insert(number);
            }
            let origin = path.parent().map(Path::to_owned);
            self.objects.push((Object { path, elf, origin }, Some(by)));
        }
    }
}
