//! `root-safe`: what somebody else than root could write to in the root, and above it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use isol_core::{Guarantee, step_names};
use isol_root::{Resolver, Sysroot};

use crate::attack::message;
use crate::scenario::Scenario;
use crate::trap::{Laid, Trap};
use crate::{Attack, Breach, Inside, Probe, Seen, Site};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::RootSafe,
    attacks: &[
        Attack::new("root-directory", |i| create(i.at("/planted-by-isol-prove")), Breach::Anything),
        Attack::new("program", |i| write(i.at_executable()), Breach::Anything)
            .exempt("a program that runs can be written by nobody: ETXTBSY"),
        Attack::new("beside-the-program", beside, Breach::Anything),
        Attack::new("users", |i| write(i.at("/etc/passwd")), Breach::Anything),
        Attack::new("loader-configuration", loader, Breach::Anything),
        Attack::new("rename", rename, Breach::Anything),
    ],
    traps: &[
        Trap::new("above-the-root", &[step_names::ROOT_DIRECTORY], above),
        Trap::new("root-for-everybody", &[step_names::ROOT_DIRECTORY], |s, _| {
            mode(s.root().to_owned(), 0o777)
        }),
        Trap::new("root-of-a-group", &[step_names::ROOT_DIRECTORY], |s, _| {
            mode(s.root().to_owned(), 0o775)
        }),
        Trap::new("bound-program-of-the-uid", &[step_names::PROGRAM], bound_program)
            .of_the_program(),
        Trap::new("bound-loader-configuration", &[step_names::PROGRAM], bound_configuration)
            .of_the_program(),
        Trap::new("root-of-the-uid", &[step_names::ROOT_DIRECTORY], |s, _| {
            owner(s.root().to_owned(), s.uid())
        }),
        Trap::new("program-for-everybody", &[step_names::PROGRAM], |s, _| mode(program(s), 0o777))
            .of_the_program(),
        Trap::new("program-of-the-uid", &[step_names::PROGRAM], |s, _| owner(program(s), s.uid()))
            .of_the_program(),
        Trap::new("directory-of-the-program", &[step_names::PROGRAM], |s, _| {
            mode(program(s).parent().unwrap_or(s.root()).to_owned(), 0o777)
        })
        .of_the_program(),
        Trap::new("library-for-everybody", &[step_names::PROGRAM], library_for_everybody)
            .of_the_program(),
    ],
};

fn create(path: PathBuf) -> Seen {
    let made = fs::File::options().write(true).create_new(true).open(&path);
    let _ = fs::remove_file(&path);
    match made {
        Ok(_) => Seen::Got(format!("{} was made", path.display())),
        Err(error) => Seen::Refused(message(&error)),
    }
}

/// Opens, and writes nothing.
fn write(path: PathBuf) -> Seen {
    match fs::File::options().append(true).open(&path) {
        Ok(_) => Seen::Got(format!("{} can be written", path.display())),
        Err(error) => Seen::Refused(message(&error)),
    }
}

fn beside(inside: &Inside<'_>) -> Seen {
    create(inside.at_executable().with_extension("planted"))
}

fn loader(inside: &Inside<'_>) -> Seen {
    create(inside.at("/etc/ld.so.preload"))
}

/// There and back again.
fn rename(inside: &Inside<'_>) -> Seen {
    let (from, to) = (inside.at("/links"), inside.at("/links-of-isol-prove"));
    match fs::rename(&from, &to).and_then(|()| fs::rename(&to, &from)) {
        Ok(()) => Seen::Got(format!("{} was renamed", from.display())),
        Err(error) => Seen::Refused(message(&error)),
    }
}

fn program(site: &Site) -> PathBuf {
    let inside = site.executable().strip_prefix("/").unwrap_or(site.executable());
    site.root().join(inside)
}

/// A library that the program loads, in the root. A program that is linked statically loads none.
fn library(site: &Site) -> io::Result<Option<PathBuf>> {
    let tree = Sysroot::open(site.root()).map_err(io::Error::other)?;
    let closure = Resolver::new(&tree).closure(site.executable(), &[]).map_err(io::Error::other)?;
    let library = closure.loaded.iter().find(|path| !closure.executed.contains(path));
    Ok(library.map(|path| site.root().join(path.strip_prefix("/").unwrap_or(path))))
}

fn library_for_everybody(site: &Site, _: &mut Scenario) -> io::Result<Laid> {
    match library(site)? {
        Some(path) => mode(path, 0o666),
        None => Ok(Laid::not_here("this isol is linked statically, and loads no library")),
    }
}

/// The program, in a directory of the uid's.
fn bound_program(site: &Site, scenario: &mut Scenario) -> io::Result<Laid> {
    let bound = site.outside().join("bound");
    let (Some(place), Some(name)) = (site.executable().parent(), site.executable().file_name())
    else {
        return Err(io::Error::other("isol's executable has no name"));
    };
    fs::create_dir(&bound)?;
    let laid = super::bound::bind(scenario, &bound, place, {
        let bound = bound.clone();
        move || drop(fs::remove_dir_all(bound))
    })?;
    if laid.not_here.is_none() {
        fs::copy(site.executable(), bound.join(name))?;
        for path in [bound.join(name), bound] {
            fs::set_permissions(&path, Permissions::from_mode(0o755))?;
            chown(path, Some(site.uid()), None)?;
        }
    }
    Ok(laid)
}

/// Which libraries are loaded before all others, in a file of the uid's.
fn bound_configuration(site: &Site, scenario: &mut Scenario) -> io::Result<Laid> {
    if library(site)?.is_none() {
        return Ok(Laid::not_here("this isol is linked statically, and loads no library"));
    }
    let bound = site.outside().join("bound");
    fs::create_dir(&bound)?;
    chown(&bound, Some(site.uid()), None)?;
    super::bound::bind(scenario, &bound.clone(), Path::new("/etc"), move || {
        drop(fs::remove_dir_all(bound));
    })
}

/// The whole root, below a directory that is not only root's to write.
fn above(site: &Site, scenario: &mut Scenario) -> io::Result<Laid> {
    let (here, there) = (site.root().to_owned(), site.outside().join("loose/root"));
    fs::rename(&here, &there)?;
    scenario.moved_to(&there);
    Ok(Laid::undone_by(move || drop(fs::rename(there, here))))
}

fn mode(path: PathBuf, mode: u32) -> io::Result<Laid> {
    let before = fs::metadata(&path)?.permissions();
    fs::set_permissions(&path, Permissions::from_mode(mode))?;
    Ok(Laid::undone_by(move || drop(fs::set_permissions(&path, before))))
}

fn owner(path: PathBuf, uid: u32) -> io::Result<Laid> {
    chown(&path, Some(uid), None)?;
    Ok(Laid::undone_by(move || drop(chown(&path, Some(0), None))))
}
