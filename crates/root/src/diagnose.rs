//! What keeps a program from running in a root, all of it, each with what mends it.
//!
//! A start stops at the first thing that is wrong, and execve(2) has one number for most of them. Here everything is
//! looked at that can be looked at from outside: nothing is run.

mod nss;

use std::fmt;
use std::path::{Path, PathBuf};

use isol_sys::device::Harmless;
use isol_sys::meta::Meta;
use isol_sys::mount;
use isol_sys::quote::{shell, shown};
use nix::fcntl::AT_FDCWD;

use crate::closure::{ClosureError, MissingLibrary, Resolver, find_program};
use crate::nsswitch;
use crate::safety::{self, Runner, SafetyError, Subject};
use crate::walk::{Sysroot, Trail, WalkError};

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum What {
    /// The program is not there.
    Program,
    /// The program is there, and is nothing that can be executed.
    Format,
    /// A loader, or a script's interpreter, is not there.
    Interpreter,
    /// A library is not there.
    Library,
    /// It is for another machine or system.
    Architecture,
    /// It is for a newer kernel.
    Kernel,
    /// Nothing is executed where it is.
    NoExec,
    /// Set-id bits mean nothing where it is.
    NoSuid,
    /// A module is missing that names are looked up with.
    NssModule,
    /// The user can't read, execute or search it.
    Unreadable,
    /// Somebody else than root could change it.
    Unsafe,
    /// `/dev/null` is missing, or is something else.
    NullDevice,
    /// Something could not be looked at.
    Unchecked,
}

impl What {
    /// Its name, in JSON too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Format => "format",
            Self::Interpreter => "interpreter",
            Self::Library => "library",
            Self::Architecture => "architecture",
            Self::Kernel => "kernel",
            Self::NoExec => "noexec",
            Self::NoSuid => "nosuid",
            Self::NssModule => "nss-module",
            Self::Unreadable => "unreadable",
            Self::Unsafe => "unsafe",
            Self::NullDevice => "null-device",
            Self::Unchecked => "unchecked",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of thing.
    pub what: What,
    /// Which file, as seen from inside, or as it was asked for.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
    /// The command that mends it, where there is one.
    pub mend: Option<String>,
}

impl Finding {
    fn new(what: What, path: &Path, why: impl Into<String>) -> Self {
        Self { what, path: path.to_owned(), why: why.into(), mend: None }
    }

    fn mend(mut self, mend: impl Into<Option<String>>) -> Self {
        self.mend = mend.into();
        self
    }
}

/// Everything that keeps `program` from running in the tree `root`, for this user if one is named, or from working once
/// it runs. `program` is a path as seen from inside, or a name.
///
/// ```
/// use isol_root::{Sysroot, diagnose};
/// let dir = tempfile::tempdir()?;
/// let root = Sysroot::open(dir.path())?;
/// let found = diagnose::diagnose(&root, "/bin/sh".as_ref(), None);
/// assert_eq!(found[0].what, diagnose::What::Program);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn diagnose(root: &Sysroot, program: &Path, runner: Option<Runner<'_>>) -> Vec<Finding> {
    let mut look = Look { root, found: Vec::new() };
    match find_program(program.as_os_str(), root) {
        Ok(path) => look.program(&Path::new("/").join(path), runner),
        Err(error) => look.closure_error(&error),
    }
    look.null_device();
    look.found
}

/// The command that puts into `root` what an error says is missing, where the host has it.
#[must_use]
pub fn remedy(error: &ClosureError, root: &Path) -> Option<String> {
    match error {
        ClosureError::LibraryMissing { first, .. } => library_remedy(first, root),
        ClosureError::NotExecutable { path, .. } => {
            Some(format!("chmod a+x {}", shell(below(root, path))))
        }
        _ => error.missing().first().and_then(|path| add_command(root, path)),
    }
}

fn library_remedy(missing: &MissingLibrary, root: &Path) -> Option<String> {
    if is_kept(root) {
        // A library comes with the program that needs it.
        return add_command(root, &missing.needed_by);
    }
    let mut places = missing.searched.iter().map(|dir| dir.join(&missing.library));
    places.find(|path| path.is_file()).map(|path| copy_command(root, &path))
}

fn add_command(root: &Path, path: &Path) -> Option<String> {
    // A bare name is looked for where `isol root add` would not look.
    let host = Sysroot::open(Path::new("/"));
    let found = host.ok().and_then(|host| find_program(path.as_os_str(), &host).ok());
    let path = found.unwrap_or_else(|| path.to_owned());
    match is_kept(root) {
        true => Some(format!("isol root add {} {}", shell(root), shell(path))),
        false => path.is_file().then(|| copy_command(root, &path)),
    }
}

/// Whether `isol root add` takes this root: it is root's.
fn is_kept(root: &Path) -> bool {
    Meta::at(AT_FDCWD, root).is_ok_and(|meta| meta.uid == 0)
}

/// An ordinary user's own root gets a copy of his.
fn copy_command(root: &Path, path: &Path) -> String {
    let dir = below(root, path.parent().unwrap_or(path));
    format!("mkdir -p {0} && cp {1} {0}", shell(&dir), shell(path))
}

struct Look<'a> {
    root: &'a Sysroot,
    found: Vec<Finding>,
}

impl Look<'_> {
    fn program(&mut self, path: &Path, runner: Option<Runner<'_>>) {
        if let Ok(trail) = self.root.walk(path) {
            self.mounts(path, &trail);
        }
        let closure = match Resolver::new(self.root).closure(path, &[]) {
            Ok(closure) => closure,
            Err(error) => {
                self.closure_error(&error);
                // What is there can be looked at all the same.
                let own = [path.to_owned()];
                let subject = match error {
                    // That nobody can execute it has been told.
                    ClosureError::NotExecutable { .. } => {
                        Subject { loaded: &own, ..Subject::default() }
                    }
                    _ => Subject { executed: &own, ..Subject::default() },
                };
                return self.safety(subject, runner);
            }
        };
        self.safety((&closure).into(), runner);
        match nss::missing(self.root, &closure) {
            Ok(missing) => missing.into_iter().for_each(|(module, file)| {
                let why = format!(
                    "names are to be looked up with `{module}`, and {file} is not in the root"
                );
                let at = Path::new("/etc/nsswitch.conf");
                let mend = nss::on_host(&file)
                    .and_then(|path| add_command(self.root.path(), &path))
                    .or_else(|| nsswitch::without_command(&module, &outside(self.root, at)));
                self.found.push(Finding::new(What::NssModule, at, why).mend(mend));
            }),
            Err(error) => self.unchecked(&error),
        }
    }

    fn closure_error(&mut self, error: &ClosureError) {
        let root = self.root.path().to_owned();
        let mut add = |what, path: &Path, why: String, mend: Option<String>| {
            self.found.push(Finding::new(what, path, why).mend(mend));
        };
        match error {
            ClosureError::LibraryMissing { first, others } => {
                for missing in std::iter::once(&**first).chain(others) {
                    let path = Path::new(&missing.library);
                    add(What::Library, path, missing.to_string(), library_remedy(missing, &root));
                }
            }
            ClosureError::ProgramMissing { path, .. } | ClosureError::ExtraMissing { path, .. } => {
                add(What::Program, path, error.to_string(), remedy(error, &root));
            }
            ClosureError::InterpreterMissing { interpreter: path, .. }
            | ClosureError::ScriptInterpreterMissing { interpreter: path, .. } => {
                add(What::Interpreter, path, error.to_string(), remedy(error, &root));
            }
            ClosureError::NotExecutable { path, .. } => {
                add(What::Format, path, error.to_string(), remedy(error, &root));
            }
            ClosureError::IsDirectory { path }
            | ClosureError::UnknownFormat { path }
            | ClosureError::Broken { path, .. }
            | ClosureError::Loop { path }
            | ClosureError::UnknownLoader { program: path, .. } => {
                add(What::Format, path, error.to_string(), None);
            }
            ClosureError::Foreign { path, .. } | ClosureError::WrongMachine { path, .. } => {
                add(What::Architecture, path, error.to_string(), None);
            }
            ClosureError::KernelTooOld { path, .. } => {
                add(What::Kernel, path, error.to_string(), None);
            }
            ClosureError::Walk(error) => self.unchecked(error),
        }
    }

    fn safety(&mut self, subject: Subject<'_>, runner: Option<Runner<'_>>) {
        for error in safety::problems(self.root, subject, runner) {
            let mend = error.mend();
            match &error {
                SafetyError::Unsafe { path, .. } => {
                    self.found.push(Finding::new(What::Unsafe, path, error.to_string()).mend(mend));
                }
                SafetyError::NotPermitted { path, .. } => {
                    let finding = Finding::new(What::Unreadable, path, error.to_string());
                    self.found.push(finding.mend(mend));
                }
                // Told already: the closure has looked at the same paths.
                SafetyError::Walk(error) if error.is_missing() => {}
                SafetyError::Walk(error) => self.unchecked(error),
            }
        }
    }

    fn mounts(&mut self, path: &Path, trail: &Trail) {
        let Ok(file) = trail.open_file() else { return };
        let outside = outside(self.root, trail.path());
        let remount = |how: &str| {
            let path = shell(&outside);
            format!("mount -o remount,{how} \"$(findmnt -no TARGET -T {path})\"")
        };
        if mount::forbids_execution(&file) == Ok(true) {
            let why = format!("{} is on a file system that is mounted noexec", shown(&outside));
            self.found.push(Finding::new(What::NoExec, path, why).mend(remount("exec")));
        }
        if trail.last().meta.mode & 0o6000 != 0 && mount::ignores_set_id(&file) == Ok(true) {
            let why = format!(
                "{} has set-id bits, and is on a file system that is mounted nosuid",
                shown(&outside)
            );
            self.found.push(Finding::new(What::NoSuid, path, why).mend(remount("suid")));
        }
    }

    fn null_device(&mut self) {
        let path = Path::new("/dev/null");
        let at = outside(self.root, path);
        let finding =
            |why: String, mend: String| Finding::new(What::NullDevice, path, why).mend(mend);
        let make = |before: &str| match Harmless::Null.number() {
            Some(_) => format!("{before}mknod -m 666 {} c 1 3", shell(&at)),
            None => format!("mount -t devfs devfs {}", shell(outside(self.root, "/dev".as_ref()))),
        };
        let dir = shell(outside(self.root, "/dev".as_ref()));
        let again = format!("rm -r {} && ", shell(&at));
        let found = match self.root.walk(path) {
            Err(e) if e.is_missing() => finding(
                format!("{} does not exist", shown(&at)),
                make(&format!("mkdir -p {dir} && ")),
            ),
            Err(e) => return self.unchecked(&e),
            Ok(trail) => {
                let meta = &trail.last().meta;
                let number = Harmless::Null.number();
                let is_null = meta.is_char_device() && number.is_none_or(|null| null == meta.rdev);
                if !is_null {
                    finding(format!("{} is not the null device", shown(&at)), make(&again))
                } else if meta.permissions() & 0o666 != 0o666 {
                    let why = format!(
                        "{} is not for everybody (mode {:04o})",
                        shown(&at),
                        meta.permissions()
                    );
                    finding(why, format!("chmod 666 {}", shell(&at)))
                } else if self.forbids_devices() {
                    let why = format!("{} is on a file system that is mounted nodev", shown(&at));
                    let mend = format!("mount -o remount,dev \"$(findmnt -no TARGET -T {dir})\"");
                    finding(why, mend)
                } else {
                    return;
                }
            }
        };
        self.found.push(found);
    }

    fn forbids_devices(&self) -> bool {
        let dir = self.root.walk("/dev".as_ref()).ok();
        dir.as_ref().and_then(Trail::dir).is_some_and(|dir| mount::forbids_devices(dir) == Ok(true))
    }

    fn unchecked(&mut self, error: &WalkError) {
        let (WalkError::Missing { path, .. }
        | WalkError::NotDirectory { path, .. }
        | WalkError::Loop { path }
        | WalkError::Changed { path }
        | WalkError::Io { path, .. }) = error;
        let finding = Finding::new(What::Unchecked, path, error.to_string());
        // The look for what is missing and the look for what is not safe meet the same.
        if !self.found.contains(&finding) {
            self.found.push(finding);
        }
    }
}

/// A path inside, as it is reached from outside.
fn outside(root: &Sysroot, path: &Path) -> PathBuf {
    below(root.path(), path)
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}
