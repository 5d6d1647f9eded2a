//! What a program needs in order to start, found by reading and never by running it, its loader or `ldd`.
//!
//! The rules of the program's own loader are followed: the interpreter that an ELF file asks for, each library where that
//! loader would find it, the interpreter of a script, every symbolic link on the way. `LD_LIBRARY_PATH` is not looked
//! at: isol never passes it on. What a program loads later on its own (NSS modules, gconv, plugins) can't be known from
//! its file: name it as an extra path.
//!
//! With a root directory in place of `/`, the same code tells what is missing there before anything is started.

mod error;
mod extras;
mod namespace;
mod resolver;
mod tree;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use isol_sys::meta::Meta;

pub use error::{ClosureError, MissingLibrary, Place};
pub use resolver::Resolver;

use crate::walk::Sysroot;

/// Everything that a program needs in order to start.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use isol_root::{Resolver, Sysroot};
/// let host = Sysroot::open("/".as_ref())?;
/// let closure = Resolver::new(&host).closure("/bin/sh".as_ref(), &[])?;
/// assert_eq!(closure.program, std::path::Path::new("/bin/sh"));
/// assert!(closure.loaded.contains(&"/bin/sh".into()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Closure {
    /// The program, by the path it was asked for.
    pub program: PathBuf,
    /// What has to be in a root: each directory before what is in it.
    pub entries: Vec<Entry>,
    /// Every file that is executed or loaded, by the path that the kernel or the loader opens it by.
    pub loaded: Vec<PathBuf>,
    /// Those of `loaded` that the kernel executes: the program, interpreters, loaders.
    pub executed: Vec<PathBuf>,
    /// What decides which files are loaded: the loader's configuration and the directories that it searches, there or
    /// not.
    pub consulted: Vec<PathBuf>,
    /// The directories in which something was looked for before it was found elsewhere, there or not: a file that comes
    /// up in one of them may change what is in this closure.
    pub searched: Vec<PathBuf>,
    /// Libraries that extra files ask for and that are not there. The program itself starts without them.
    pub incomplete: Vec<MissingLibrary>,
    /// Sockets, pipes and devices among the extra paths: they are not copied.
    pub skipped: Vec<PathBuf>,
}

/// One thing that has to be in a root.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Where: absolute, no directory in it reached through a link.
    pub path: PathBuf,
    /// What.
    pub kind: EntryKind,
    /// What for.
    pub why: Why,
}

/// What something is in a closure for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(
    feature = "keep",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Why {
    /// A program needs it in order to start.
    #[default]
    Program,
    /// It was asked for by its path, or what was needs it.
    Added,
    /// A program that was watched opened it.
    Traced,
    /// Names of users and hosts are looked up with it.
    Nss,
    /// A locale.
    Locale,
    /// Configuration for all programs.
    Etc,
    /// A device.
    Device,
    /// A directory for programs to write to.
    Writable,
}

/// A path that goes into a closure beside what programs need in order to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraPath {
    /// A file, a link, or a directory.
    pub path: PathBuf,
    /// What for.
    pub why: Why,
    /// Whether everything in it comes along if it is a directory.
    pub deep: bool,
    /// Whether links of root's in it, in directories that only root can write to, bring what they lead to: nobody else
    /// can have laid them to bring a file of the host's along.
    pub follow: bool,
}

impl ExtraPath {
    /// One that was asked for, with everything in it.
    #[must_use]
    pub fn added(path: PathBuf) -> Self {
        Self { path, why: Why::Added, deep: true, follow: false }
    }
}

/// What has to be in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A directory.
    Directory {
        /// Its permission bits.
        mode: u32,
        /// Its owner.
        uid: u32,
        /// Its group.
        gid: u32,
    },
    /// A symbolic link.
    Symlink {
        /// What it says.
        target: PathBuf,
    },
    /// A copy of the regular file at the same place in the tree that the closure was made from.
    File {
        /// Whether anybody may execute it.
        executable: bool,
        /// What it was when it was looked at: a copy of anything else is an error.
        meta: Meta,
    },
    /// A file that is made up: the loader's configuration for just these libraries.
    Text {
        /// What it says.
        text: Vec<u8>,
    },
}

/// Where programs without a slash in their names are looked for.
pub const DEFAULT_PATH: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The path of the program `name`: itself if there is a slash in it, else the first executable file of that name in
/// [`DEFAULT_PATH`], in the tree `root`.
///
/// # Errors
/// [`ClosureError::ProgramMissing`] if there is none.
///
/// # References
/// execvp(3)
///
/// ```
/// let host = isol_root::Sysroot::open("/".as_ref())?;
/// let sh = isol_root::find_program("sh".as_ref(), &host)?;
/// assert!(sh.ends_with("bin/sh"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn find_program(name: &OsStr, root: &Sysroot) -> Result<PathBuf, ClosureError> {
    if name.as_bytes().contains(&b'/') {
        return Ok(PathBuf::from(name));
    }
    let is_program = |path: &PathBuf| {
        let meta = root.walk(path).map(|trail| trail.last().meta);
        meta.is_ok_and(|meta| meta.is_file() && meta.mode & 0o111 != 0)
    };
    let named = |name: &OsStr| !name.is_empty() && name != "." && name != "..";
    let mut paths = DEFAULT_PATH.iter().map(|dir| Path::new(dir).join(name));
    match paths.find(is_program).filter(|_| named(name)) {
        Some(path) => Ok(path),
        None => Err(ClosureError::ProgramMissing {
            path: PathBuf::from(name),
            place: Place::of(root),
            searched: DEFAULT_PATH.iter().map(PathBuf::from).collect(),
        }),
    }
}
