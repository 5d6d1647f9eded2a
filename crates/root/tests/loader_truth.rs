//! Closures compared with what the loader itself says that it loads.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::needs;
use isol_root::elf::Elf;
use isol_root::{Resolver, Sysroot};

/// What glibc's loader would load, links resolved. The loader is asked, not the program, as `ldd` does: a set-id program
/// would run.
fn traced(program: &Path) -> Option<BTreeSet<PathBuf>> {
    let elf = Elf::read(&fs::File::open(program).ok()?).ok()?;
    // By its real path, which is what `$ORIGIN` goes by when the kernel executes it.
    let real = fs::canonicalize(program).ok()?;
    let output =
        Command::new(elf.interpreter?).arg("--list").arg(real).env_clear().output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let line = line.trim();
        if line.contains("not found") || !output.status.success() {
            return None;
        }
        let path = line.split(" => ").last()?.split(" (0x").next()?;
        if path.starts_with('/') {
            found.insert(fs::canonicalize(path).ok()?);
        }
    }
    Some(found)
}

fn dynamic_programs(dirs: &[&str], flavour: &str) -> Vec<PathBuf> {
    let entries = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten();
    let mut programs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    programs.retain(|path| {
        let elf = fs::File::open(path).ok().and_then(|file| Elf::read(&file).ok());
        let interpreter = elf.and_then(|elf| elf.interpreter);
        interpreter.is_some_and(|path| path.to_string_lossy().contains(flavour))
    });
    programs.sort();
    // Enough of them, from all over the alphabet.
    let step = programs.len() / 150 + 1;
    programs.into_iter().step_by(step).collect()
}

#[test]
fn closures_are_what_the_loader_loads() {
    let programs = dynamic_programs(&["/usr/bin", "/usr/sbin"], "ld-linux");
    if !needs(programs.len() >= 40, "40 programs of glibc's in /usr/bin and /usr/sbin") {
        return;
    }
    let root = Sysroot::open("/".as_ref()).unwrap();
    let mut compared = 0;
    for program in programs {
        let Some(expected) = traced(&program) else { continue };
        let closure = Resolver::new(&root).closure(&program, &[]).unwrap_or_else(|e| panic!("{e}"));
        let own = fs::canonicalize(&program).unwrap();
        let loaded = closure.loaded.iter().map(|path| fs::canonicalize(path).unwrap());
        let loaded: BTreeSet<_> = loaded.filter(|path| *path != own).collect();
        assert_eq!(loaded, expected, "{}", program.display());
        compared += 1;
    }
    assert!(compared >= 40, "only {compared} programs could be compared");
}

#[test]
fn entries_reproduce_every_path_that_is_opened() {
    let root = Sysroot::open("/".as_ref()).unwrap();
    for program in ["/bin/sh", "/usr/bin/env", "/usr/bin/perl"] {
        let Ok(closure) = Resolver::new(&root).closure(program.as_ref(), &[]) else { continue };
        let paths: Vec<_> = closure.entries.iter().map(|entry| &entry.path).collect();
        for (n, path) in paths.iter().enumerate() {
            let parent = path.parent().unwrap();
            assert!(
                parent == Path::new("/") || paths[..n].iter().any(|p| *p == parent),
                "{}",
                path.display()
            );
        }
        for path in &closure.loaded {
            assert!(paths.contains(&&fs::canonicalize(path).unwrap()), "{}", path.display());
        }
    }
}
