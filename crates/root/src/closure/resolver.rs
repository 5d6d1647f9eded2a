//! From a program to everything that it needs.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use nix::errno::Errno;

use super::extras::{self, Extra};
use super::namespace::Namespace;
use super::tree::Tree;
use super::{
    Closure, ClosureError, DEFAULT_PATH, ExtraPath, MissingLibrary, Place, Why, find_program,
};
use crate::elf::Elf;
use crate::host::{self, Unfit};
use crate::loader::{Flavour, Library, Loader, Object, configurations};
use crate::script::{HEAD, Shebang};
use crate::walk::{Kind, Sysroot, Trail, WalkError};

/// How many interpreters in a row may be scripts, as on Linux.
const MAX_SCRIPTS: usize = 5;

/// Finds what programs need, in one tree.
#[derive(Debug)]
pub struct Resolver<'a> {
    root: &'a Sysroot,
    proc: bool,
}

/// A closure in the making.
#[derive(Default)]
struct Work<'a> {
    tree: Tree,
    closure: Closure,
    /// What the program has loaded when it starts: extra shared objects come on top of it.
    main: Option<Namespace<'a>>,
    libraries: Vec<(Rc<Loader>, Library)>,
}

impl<'a> Resolver<'a> {
    /// For programs in the tree `root`: `/`, or a directory that is to be somebody's root.
    #[must_use]
    pub fn new(root: &'a Sysroot) -> Self {
        Self { root, proc: false }
    }

    /// There will be a /proc when the program starts, even if there is none in the tree now.
    ///
    /// glibc's and musl's loaders learn from it where the program is: without it, `$ORIGIN` in the program's own search
    /// path means nothing to them.
    #[must_use]
    pub fn with_proc(mut self) -> Self {
        self.proc = true;
        self
    }

    /// Everything that `program` needs in order to start, and `extra_paths` with what these need.
    ///
    /// An extra path may be a file, a symbolic link (which brings what it points to), or a directory (which brings what
    /// is below; links in there are taken as they are, and not followed).
    ///
    /// # Errors
    /// [`ClosureError`] names what is missing, or what the program is that can't be executed. All missing libraries are
    /// found at once.
    ///
    /// # References
    /// execve(2), ld.so(8), rtld(1)
    pub fn closure(
        &self,
        program: &Path,
        extra_paths: &[PathBuf],
    ) -> Result<Closure, ClosureError> {
        let extra: Vec<_> = extra_paths.iter().cloned().map(ExtraPath::added).collect();
        self.closure_of(&[program.to_owned()], &extra)
    }

    /// Everything that all of `programs` need in order to start, and `extra` with what that needs.
    ///
    /// An extra path that is a program or a script comes with what it needs in order to start; shared objects are
    /// looked at as if the first program loaded them, or, if there is none, some program of this tree.
    ///
    /// # Errors
    /// As [`Self::closure`].
    pub fn closure_of(
        &self,
        programs: &[PathBuf],
        extra: &[ExtraPath],
    ) -> Result<Closure, ClosureError> {
        let mut work = Work::default();
        for program in programs {
            let program = Path::new("/").join(program);
            if work.closure.program.as_os_str().is_empty() {
                work.closure.program.clone_from(&program);
            }
            let missing = self.start(&program, &mut work)?;
            fail_on(missing)?;
        }
        for extra in extra.iter().filter(|extra| self.may_be_program(&extra.path)) {
            work.tree.why = extra.why;
            match self.start(&Path::new("/").join(&extra.path), &mut work) {
                Ok(missing) => fail_on(missing)?,
                Err(error) if error.status() == 127 => return Err(error),
                // A library has x bits on some systems, and a text may have: they come as they are.
                Err(_) => {}
            }
        }
        if work.main.is_none() {
            work.main = self.any_namespace();
        }
        self.with_extras(extra, work)
    }

    fn may_be_program(&self, path: &Path) -> bool {
        let executable = |trail: &Trail| {
            let meta = trail.last().meta;
            meta.is_file() && meta.mode & 0o111 != 0
        };
        let Ok(trail) = self.root.walk(path) else { return false };
        // A library may have x bits and an interpreter of its own: it is not meant to be started.
        let starts = |head: Vec<u8>| {
            head.starts_with(b"#!")
                || trail
                    .open_file()
                    .is_ok_and(|file| Elf::read(&file).is_ok_and(|elf| elf.interpreter.is_some()))
        };
        executable(&trail) && head(&trail).is_ok_and(starts)
    }

    /// A process of this tree's usual kind, with nothing loaded: for shared objects that come without a program.
    fn any_namespace(&self) -> Option<Namespace<'a>> {
        ["/bin/sh", "/usr/bin/env", "/bin/ls"].iter().find_map(|path| {
            let path = Path::new(path);
            let trail = self.program(path).ok()?;
            let mut elf = Elf::read(&trail.open_file().ok()?).ok()?;
            let interpreter = elf.interpreter.clone()?;
            let loader = self.loader(path, &elf, &interpreter, &mut Work::default()).ok()?;
            (elf.needed, elf.rpath, elf.runpath) = (Vec::new(), None, None);
            let object = Object { path: path.to_owned(), elf, origin: None };
            Some(Namespace::new(self.root, Rc::new(loader), object, &trail.last().meta))
        })
    }

    /// The files, directories and links `paths`, with what the shared objects among them need: as the extra paths of
    /// [`Self::closure`], without a program. Programs among them bring nothing.
    ///
    /// # Errors
    /// As [`Self::closure`].
    pub fn files(&self, paths: &[PathBuf]) -> Result<Closure, ClosureError> {
        let extra: Vec<_> = paths.iter().cloned().map(ExtraPath::added).collect();
        self.with_extras(&extra, Work::default())
    }

    fn with_extras(
        &self,
        extra_paths: &[ExtraPath],
        mut work: Work<'a>,
    ) -> Result<Closure, ClosureError> {
        for path in extra_paths {
            work.tree.why = path.why;
            for extra in
                extras::collect(self.root, path, &mut work.tree, &mut work.closure.skipped)?
            {
                self.extra(extra, &mut work)?;
            }
        }
        let mut closure = work.closure;
        let Closure { loaded, executed, consulted, searched, .. } = &mut closure;
        for list in [loaded, executed, consulted, searched] {
            in_order_once(list);
        }
        work.tree.why = Why::Program;
        for (path, text) in configurations(&work.libraries) {
            work.tree.add_text(&path, text);
        }
        closure.entries = work.tree.into_entries();
        Ok(closure)
    }

    /// Follows scripts to the program that the kernel executes in the end.
    fn start(
        &self,
        program: &Path,
        work: &mut Work<'a>,
    ) -> Result<Vec<MissingLibrary>, ClosureError> {
        let mut path = program.to_owned();
        let mut trail = self.program(&path)?;
        for _ in 0..=MAX_SCRIPTS {
            work.tree.add(&trail);
            work.closure.loaded.push(path.clone());
            work.closure.executed.push(path.clone());
            let head = head(&trail)?;
            if head.starts_with(&Elf::MAGIC) {
                return self.elf(&path, &trail, work, true);
            }
            let Some(line) = Shebang::parse(&head) else {
                return Err(ClosureError::UnknownFormat { path });
            };
            let absent = |interpreter: &Path| ClosureError::ScriptInterpreterMissing {
                script: path.clone(),
                interpreter: interpreter.to_owned(),
                place: Place::of(self.root),
            };
            let mut next = Path::new("/").join(&line.interpreter);
            let mut found =
                self.program(&next).map_err(|e| if is_absence(&e) { absent(&next) } else { e })?;
            if let Some(name) = line.env_program() {
                // env(1) is executed first, and has libraries of its own.
                work.tree.add(&found);
                work.closure.loaded.push(next.clone());
                work.closure.executed.push(next.clone());
                fail_on(self.elf(&next, &found, work, false)?)?;
                work.closure.searched.extend(DEFAULT_PATH.iter().map(PathBuf::from));
                let sought = Path::new(&name);
                next = find_program(&name, self.root).map_err(|_| absent(sought))?;
                next = Path::new("/").join(next);
                found = self
                    .program(&next)
                    .map_err(|e| if is_absence(&e) { absent(sought) } else { e })?;
            }
            (path, trail) = (next, found);
        }
        Err(ClosureError::Loop { path: program.to_owned() })
    }

    /// What the kernel would execute at `path`.
    fn program(&self, path: &Path) -> Result<Trail, ClosureError> {
        let trail = match self.root.walk(path) {
            Ok(trail) => trail,
            Err(e) if e.is_missing() => {
                let place = Place::of(self.root);
                return Err(ClosureError::ProgramMissing {
                    path: path.to_owned(),
                    place,
                    searched: Vec::new(),
                });
            }
            Err(e) => return Err(e.into()),
        };
        let last = trail.last();
        match last.kind {
            Kind::Directory => Err(ClosureError::IsDirectory { path: path.to_owned() }),
            Kind::File if last.meta.mode & 0o111 != 0 => Ok(trail),
            _ => Err(ClosureError::NotExecutable {
                path: path.to_owned(),
                mode: last.meta.permissions(),
            }),
        }
    }

    /// The loader and the libraries of an ELF program. With `is_main`, what is loaded later is loaded into it.
    fn elf(
        &self,
        path: &Path,
        trail: &Trail,
        work: &mut Work<'a>,
        is_main: bool,
    ) -> Result<Vec<MissingLibrary>, ClosureError> {
        let broken = |source| ClosureError::Broken { path: path.to_owned(), source };
        let elf = Elf::read(&trail.open_file()?).map_err(broken)?;
        fits(path, &elf)?;
        let Some(interpreter) = elf.interpreter.clone() else { return Ok(Vec::new()) };
        let loader = Rc::new(self.loader(path, &elf, &interpreter, work)?);
        let origin =
            trail.path().parent().filter(|_| self.knows_origin(&loader)).map(Path::to_owned);
        let object = Object { path: path.to_owned(), elf, origin };

        let mut namespace =
            Namespace::new(self.root, Rc::clone(&loader), object, &trail.last().meta);
        namespace.fill(&mut work.tree)?;
        if let Some((path, elf)) = namespace.unfit.take() {
            fits(&path, &elf)?;
        }
        let missing = take_over(&mut namespace, &loader, work);
        if is_main && work.main.is_none() {
            work.main = Some(namespace);
        }
        Ok(missing)
    }

    fn loader(
        &self,
        program: &Path,
        elf: &Elf,
        interpreter: &Path,
        work: &mut Work<'a>,
    ) -> Result<Loader, ClosureError> {
        let absolute = Path::new("/").join(interpreter);
        let trail = match self.root.walk(&absolute) {
            Ok(trail) => trail,
            Err(e) if e.is_missing() => {
                return Err(ClosureError::InterpreterMissing {
                    program: program.to_owned(),
                    interpreter: interpreter.to_owned(),
                    place: Place::of(self.root),
                });
            }
            Err(e) => return Err(e.into()),
        };
        if trail.last().kind != Kind::File || trail.last().meta.mode & 0o111 == 0 {
            return Err(ClosureError::NotExecutable {
                path: absolute,
                mode: trail.last().meta.permissions(),
            });
        }
        work.tree.add(&trail);
        work.closure.loaded.push(absolute.clone());
        work.closure.executed.push(absolute.clone());
        let own = Elf::read(&trail.open_file()?)
            .map_err(|source| ClosureError::Broken { path: absolute.clone(), source })?;
        if own.machine != elf.machine {
            return Err(ClosureError::WrongMachine {
                path: absolute,
                found: own.machine,
                needed_by: program.to_owned(),
                expected: elf.machine,
            });
        }
        Loader::new(self.root, &absolute, &trail, &own)?.ok_or_else(|| {
            ClosureError::UnknownLoader {
                program: program.to_owned(),
                interpreter: interpreter.to_owned(),
            }
        })
    }

    /// Whether the loader will know where the program is. A closure of the host's is not run as it stands there: its
    /// root gets a configuration that leads to every library.
    fn knows_origin(&self, loader: &Loader) -> bool {
        let from_kernel = loader.flavour == Flavour::FreeBsd;
        self.proc
            || from_kernel
            || self.root.is_host()
            || self.root.walk("/proc/self".as_ref()).is_ok()
    }

    /// What an ELF file among the extras needs. Nothing but what the user named is looked for in vain with an error:
    /// plugins for what is not installed are common.
    fn extra(&self, extra: Extra, work: &mut Work<'a>) -> Result<(), ClosureError> {
        let path = extra.path;
        work.closure.loaded.push(path.clone());
        if extra.elf.interpreter.is_some() && extra.executable {
            work.closure.executed.push(path.clone());
            let trail = self.root.walk(&path)?;
            match self.elf(&path, &trail, work, false) {
                Ok(missing) if extra.named => fail_on(missing)?,
                Ok(missing) => work.closure.incomplete.extend(missing),
                // A program for other systems in a directory that was added whole.
                Err(_) if !extra.named => {}
                Err(e) => return Err(e),
            }
            return Ok(());
        }
        let Some(main) = &work.main else { return Ok(()) };
        if extra.elf.machine == main.loader().machine {
            let origin = path.parent().map(Path::to_owned);
            let mut namespace = main.with(Object { path, elf: extra.elf, origin }, &extra.meta);
            namespace.fill(&mut work.tree)?;
            let loader = namespace.loader();
            let missing = take_over(&mut namespace, &loader, work);
            work.closure.incomplete.extend(missing);
        }
        Ok(())
    }
}

/// Puts what was loaded into the closure.
fn take_over(
    namespace: &mut Namespace<'_>,
    loader: &Rc<Loader>,
    work: &mut Work<'_>,
) -> Vec<MissingLibrary> {
    let consulted = &mut work.closure.consulted;
    consulted.extend(loader.config.iter().cloned());
    consulted.extend(namespace.loaded.iter().filter_map(|path| path.parent()).map(Path::to_owned));
    consulted.extend(loader.builtin_dirs.iter().cloned());
    // Whoever can write to one of these can put a library in the place of the one that was found.
    consulted.extend(namespace.searched.iter().cloned());
    work.closure.searched.append(&mut namespace.searched);
    work.closure.loaded.append(&mut namespace.loaded);
    work.libraries.extend(namespace.found.drain(..).map(|library| (Rc::clone(loader), library)));
    std::mem::take(&mut namespace.missing)
}

/// Whether this host's kernel starts it: what the kernel itself, or the loader, says of the others tells nobody why.
fn fits(path: &Path, elf: &Elf) -> Result<(), ClosureError> {
    let path = path.to_owned();
    let version = |[a, b, c]: [u32; 3]| format!("{a}.{b}.{c}");
    Err(match host::unfit(elf) {
        None => return Ok(()),
        Some(Unfit::Machine(machine)) => ClosureError::Foreign {
            path,
            found: machine.to_string(),
            host: std::env::consts::ARCH.to_owned(),
        },
        Some(Unfit::System(system)) => ClosureError::Foreign {
            path,
            found: system.to_owned(),
            host: isol_sys::os::HOST.to_string(),
        },
        Some(Unfit::Kernel(needs, kernel)) => {
            ClosureError::KernelTooOld { path, needs: version(needs), kernel: version(kernel) }
        }
    })
}

fn fail_on(mut missing: Vec<MissingLibrary>) -> Result<(), ClosureError> {
    if missing.is_empty() {
        return Ok(());
    }
    let first = Box::new(missing.remove(0));
    Err(ClosureError::LibraryMissing { first, others: missing })
}

fn is_absence(error: &ClosureError) -> bool {
    matches!(error, ClosureError::ProgramMissing { .. })
}

fn head(trail: &Trail) -> Result<Vec<u8>, WalkError> {
    let mut head = Vec::new();
    let failed = |e: std::io::Error| WalkError::Io {
        path: trail.path().to_owned(),
        source: Errno::from_raw(e.raw_os_error().unwrap_or(nix::libc::EIO)),
    };
    trail.open_file()?.take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
    Ok(head)
}

fn in_order_once(list: &mut Vec<PathBuf>) {
    let mut seen = std::collections::HashSet::new();
    list.retain(|path| seen.insert(path.clone()));
}
