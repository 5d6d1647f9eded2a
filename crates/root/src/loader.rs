//! The rules by which a dynamic loader finds libraries: three loaders, seen from the program's own interpreter.

mod freebsd;
mod glibc;
mod hints;
mod ldcache;
mod musl;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::elf::{Elf, Machine};
use crate::walk::{Sysroot, Trail, WalkError};
use ldcache::LdCache;
pub(crate) use tokens::Tokens;

/// Whose rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    Glibc,
    Musl,
    FreeBsd,
}

/// A program's loader, and what its configuration says.
#[derive(Debug)]
pub(crate) struct Loader {
    pub(crate) flavour: Flavour,
    pub(crate) machine: Machine,
    /// The names that libraries ask for it by; it is loaded already.
    pub(crate) names: Vec<OsString>,
    /// Where it looks after everything else, without any configuration.
    pub(crate) builtin_dirs: Vec<PathBuf>,
    /// Where its configuration tells it to look before that.
    configured_dirs: Vec<PathBuf>,
    cache: LdCache,
    /// The files that it takes its configuration from, there or not.
    pub(crate) config: Vec<PathBuf>,
    tokens: Tokens,
}

/// A loaded object, as far as the search goes.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// By which path it was opened.
    pub(crate) path: PathBuf,
    pub(crate) elf: Elf,
    /// `$ORIGIN`; `None` where the loader can't know it.
    pub(crate) origin: Option<PathBuf>,
}

/// A place where a library may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    /// A build for newer processors: taken on some hosts, and passed over on others.
    pub(crate) variant: bool,
}

impl Loader {
    /// Finds out which loader `interpreter` is; `None` if it is none that isol knows.
    pub(crate) fn new(
        root: &Sysroot,
        interpreter: &Path,
        trail: &Trail,
        elf: &Elf,
    ) -> Result<Option<Self>, WalkError> {
        // The name may be another loader's: musl systems have links by glibc's name for foreign programs.
        let named = |path: &Path| path.file_name().and_then(flavour_by_name);
        let soname = elf.soname.as_deref().and_then(flavour_by_name);
        let Some(flavour) = named(trail.path()).or(soname).or_else(|| named(interpreter)) else {
            return Ok(None);
        };

        let mut loader = Self {
            flavour,
            machine: elf.machine,
            names: interpreter
                .file_name()
                .into_iter()
                .map(OsStr::to_owned)
                .chain(elf.soname.clone())
                .collect(),
            builtin_dirs: Vec::new(),
            configured_dirs: Vec::new(),
            cache: LdCache::default(),
            config: Vec::new(),
            tokens: Tokens::default(),
        };
        match flavour {
            Flavour::Glibc => {
                let image = read_whole(trail)?;
                loader.builtin_dirs = glibc::builtin_dirs(&image, elf.machine);
                let cache = glibc::cache_path(&image);
                loader.cache =
                    LdCache::parse(&read_config(root, &cache)?, elf.machine).unwrap_or_default();
                loader.config = vec![cache, PathBuf::from("/etc/ld.so.preload")];
                loader.tokens = glibc::tokens(elf.machine, &loader.builtin_dirs);
            }
            Flavour::Musl => {
                let path = musl::config_path(interpreter);
                let config = read_config(root, &path)?;
                loader.builtin_dirs = musl::BUILTIN_DIRS.iter().map(PathBuf::from).collect();
                // The file takes the place of the built-in directories; an empty one means none.
                match root.walk(&path) {
                    Ok(_) => loader.configured_dirs = musl::parse_config(&config),
                    Err(_) => loader.configured_dirs.clone_from(&loader.builtin_dirs),
                }
                loader.config = vec![path];
            }
            Flavour::FreeBsd => {
                let path = hints::path(interpreter);
                loader.configured_dirs =
                    hints::parse(&read_config(root, &path)?).unwrap_or_default();
                loader.builtin_dirs = freebsd::builtin_dirs(&read_whole(trail)?, interpreter);
                loader.config = vec![path, freebsd::map_path(interpreter)];
                loader.tokens = Tokens { lib: Some("lib".into()), platforms: Vec::new() };
            }
        }
        Ok(Some(loader))
    }

    /// Where this loader looks for `name` on behalf of the first object of `chain`, in its order. `chain` goes on with the
    /// object that loaded the first one, and so on to the program.
    pub(crate) fn candidates(&self, name: &OsStr, chain: &[&Object]) -> Vec<Candidate> {
        let Some(&object) = chain.first() else { return Vec::new() };
        if name.as_bytes().contains(&b'/') {
            let paths = self.tokens.expand(name, object.origin.as_deref());
            return paths.into_iter().map(|path| Candidate { path, variant: false }).collect();
        }
        match self.flavour {
            Flavour::Glibc => self.glibc_candidates(name, object, chain),
            Flavour::Musl => {
                let own = chain
                    .iter()
                    .filter_map(|o| Some((o, o.elf.runpath.as_ref().or(o.elf.rpath.as_ref())?)));
                let dirs = own.flat_map(|(o, path)| self.tokens.dirs(path, o.origin.as_deref()));
                in_dirs(dirs.chain(self.configured_dirs.iter().cloned()), name)
            }
            Flavour::FreeBsd => {
                let mut dirs = Vec::new();
                if object.elf.runpath.is_none() {
                    let program =
                        chain.last().copied().filter(|program| program.elf.runpath.is_none());
                    let rpaths = [Some(object), program.filter(|_| chain.len() > 1)];
                    dirs.extend(
                        rpaths.into_iter().flatten().flat_map(|o| self.rpath_dirs(o, &o.elf.rpath)),
                    );
                }
                dirs.extend(self.rpath_dirs(object, &object.elf.runpath));
                let builtin = |dir: &&PathBuf| {
                    !object.elf.no_default_dirs || !self.builtin_dirs.contains(dir)
                };
                dirs.extend(self.configured_dirs.iter().filter(builtin).cloned());
                dirs.extend(self.builtin_dirs.iter().filter(builtin).cloned());
                in_dirs(dirs.into_iter(), name)
            }
        }
    }

    fn glibc_candidates(&self, name: &OsStr, object: &Object, chain: &[&Object]) -> Vec<Candidate> {
        let mut dirs = Vec::new();
        if object.elf.runpath.is_none() {
            let heirs = chain.iter().filter(|o| o.elf.runpath.is_none());
            dirs.extend(heirs.flat_map(|o| self.rpath_dirs(o, &o.elf.rpath)));
        }
        dirs.extend(self.rpath_dirs(object, &object.elf.runpath));
        let mut found = glibc::in_dirs(&dirs, name, self.machine);

        let builtin = |path: &Path| {
            path.parent().is_some_and(|dir| self.builtin_dirs.iter().any(|b| b == dir))
        };
        let cached = self.cache.find(name);
        found.extend(cached.filter(|c| !object.elf.no_default_dirs || !builtin(&c.path)).cloned());
        if !object.elf.no_default_dirs {
            found.extend(glibc::in_dirs(&self.builtin_dirs, name, self.machine));
        }
        found
    }

    fn rpath_dirs(&self, object: &Object, path: &Option<OsString>) -> Vec<PathBuf> {
        path.as_ref().map_or_else(Vec::new, |path| self.tokens.dirs(path, object.origin.as_deref()))
    }

    /// Whether libraries of this name are a part of the loader itself.
    pub(crate) fn provides(&self, name: &OsStr) -> bool {
        self.names.iter().any(|own| own == name)
            || (self.flavour == Flavour::Musl && musl::is_reserved(name))
    }
}

/// A library, by the name that it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Library {
    pub(crate) name: OsString,
    pub(crate) path: PathBuf,
    pub(crate) machine: Machine,
}

/// Configurations that lead the loaders to exactly these libraries, where they would not find them without: where to
/// write each, and what.
///
/// Libraries found through `$ORIGIN` are among these: without /proc the loaders don't know where the program is.
pub(crate) fn configurations(libraries: &[(Rc<Loader>, Library)]) -> Vec<(PathBuf, Vec<u8>)> {
    // Programs for several machines may share one file.
    let mut files: BTreeMap<&Path, (&Loader, Vec<Library>)> = BTreeMap::new();
    let mut stray = BTreeSet::new();
    for (loader, library) in libraries {
        let Some(config) = loader.config.first() else { continue };
        files.entry(config).or_insert((loader, Vec::new())).1.push(library.clone());
        if !loader.builtin_dirs.iter().any(|dir| Some(&**dir) == library.path.parent()) {
            stray.insert(&**config);
        }
    }
    let written = files.into_iter().filter(|(config, _)| stray.contains(config));
    written
        .map(|(config, (loader, libraries))| {
            let text = match loader.flavour {
                Flavour::Glibc => LdCache::write(&libraries, loader.machine.little_endian),
                Flavour::Musl => musl::write_config(&loader.configured_dirs, &libraries),
                Flavour::FreeBsd => {
                    hints::write(&loader.configured_dirs, &libraries, loader.machine.little_endian)
                }
            };
            (config.to_owned(), text)
        })
        .collect()
}

fn flavour_by_name(name: &OsStr) -> Option<Flavour> {
    let name = name.as_bytes();
    let begins = |with: &[&str]| with.iter().any(|start| name.starts_with(start.as_bytes()));
    if begins(&["ld-musl-", "libc.musl-"]) {
        Some(Flavour::Musl)
    } else if begins(&["ld-elf.so", "ld-elf32.so"]) {
        Some(Flavour::FreeBsd)
    } else if begins(&["ld-linux", "ld64.so.", "ld.so.", "ld-2."]) {
        Some(Flavour::Glibc)
    } else {
        None
    }
}

fn in_dirs(dirs: impl Iterator<Item = PathBuf>, name: &OsStr) -> Vec<Candidate> {
    dirs.map(|dir| Candidate { path: dir.join(name), variant: false }).collect()
}

/// Longer than any loader and any of their configuration files.
const MAX_READ: u64 = 16 << 20;

fn read_whole(trail: &Trail) -> Result<Vec<u8>, WalkError> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let failed = |e: std::io::Error| WalkError::Io {
        path: trail.path().to_owned(),
        source: nix::errno::Errno::from_raw(e.raw_os_error().unwrap_or(nix::libc::EIO)),
    };
    trail.open_file()?.take(MAX_READ).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// A configuration file that need not be there.
fn read_config(root: &Sysroot, path: &Path) -> Result<Vec<u8>, WalkError> {
    match root.walk(path) {
        Ok(trail) => read_whole(&trail),
        Err(e) if e.is_missing() => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests;
