//! What this host executes: its machine, its kernel.

use std::path::Path;

use isol_core::Os;
use isol_sys::os::HOST;

use crate::elf::{AbiNote, Elf, Machine};

/// `EI_OSABI` of FreeBSD's programs.
const OSABI_FREEBSD: u8 = 9;

/// Why this host's kernel does not execute a program, or load a library, with this header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is for another machine.
    Machine(Machine),
    /// It is for another system.
    System(&'static str),
    /// It is for a newer kernel than this one.
    Kernel([u32; 3], [u32; 3]),
}

pub(crate) fn unfit(elf: &Elf) -> Option<Unfit> {
    if !runs_here(elf.machine) && !has_interpreters() {
        return Some(Unfit::Machine(elf.machine));
    }
    // FreeBSD may have been given Linux' calls; Linux has never had FreeBSD's.
    if HOST == Os::Linux && elf.os_abi == OSABI_FREEBSD && !has_interpreters() {
        return Some(Unfit::System("FreeBSD"));
    }
    match elf.abi_note? {
        AbiNote::Linux(needed) if HOST == Os::Linux => {
            let own = kernel()?;
            (needed > own).then_some(Unfit::Kernel(needed, own))
        }
        _ => None,
    }
}

/// What a processor can do beside its own: where it is not sure, it is the kernel that says no.
fn runs_here(machine: Machine) -> bool {
    let Some(name) = machine.name() else { return true };
    let own = std::env::consts::ARCH;
    match own {
        "x86_64" => ["x86_64", "x32", "i386"].contains(&name),
        "x86" => name == "i386",
        "aarch64" => ["aarch64", "arm"].contains(&name),
        "arm" | "riscv64" | "s390x" | "loongarch64" => name == own,
        _ => true,
    }
}

/// Whether the kernel may hand programs of other machines to an emulator.
fn has_interpreters() -> bool {
    let Ok(registered) = std::fs::read_dir(Path::new("/proc/sys/fs/binfmt_misc")) else {
        return false;
    };
    registered.flatten().any(|entry| {
        let name = entry.file_name();
        name != "register" && name != "status"
    })
}

/// The version of the kernel: `6.1.0-18-amd64` is 6.1.0.
fn kernel() -> Option<[u32; 3]> {
    version(nix::sys::utsname::uname().ok()?.release().to_str()?)
}

fn version(release: &str) -> Option<[u32; 3]> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    let first = parts.next()?.ok()?;
    let mut next = || parts.next().and_then(Result::ok).unwrap_or(0);
    Some([first, next(), next()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::Class;

    #[test]
    fn releases_are_versions() {
        assert_eq!(version("6.1.0-18-amd64"), Some([6, 1, 0]));
        assert_eq!(version("5.15"), Some([5, 15, 0]));
        assert_eq!(version("6.18.44-x"), Some([6, 18, 44]));
        assert_eq!(version("x"), None);
    }

    #[test]
    fn the_test_itself_runs_here() {
        let own = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        if let Ok(elf) = Elf::read(&own) {
            assert_eq!(unfit(&elf), None);
            assert!(runs_here(elf.machine));
        }
        let other = if std::env::consts::ARCH == "s390x" { 62 } else { 22 };
        let machine = Machine { number: other, class: Class::Elf64, little_endian: other == 62 };
        assert!(!runs_here(machine) || !["x86_64", "aarch64"].contains(&std::env::consts::ARCH));
    }
}
