//! What the tree's own configuration has loaded.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use isol_sys::quote::{escaped, shell};
use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use super::Report;
use super::finding::{Finding, What};
use crate::nsswitch;
use crate::walk::{Sysroot, WalkError};

const PRELOAD: &str = "/etc/ld.so.preload";
const NSSWITCH: &str = "/etc/nsswitch.conf";
/// More than such files have.
const MOST: u64 = 64 * 1024;
/// Where libraries are, and in directories below with the name of a machine.
const LIBRARIES: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

pub(super) fn look(root: &Sysroot, report: Report<'_>) {
    preload(root, report);
    modules(root, report);
}

fn preload(root: &Sysroot, report: Report<'_>) {
    let Some(text) = read(root, PRELOAD, report) else { return };
    let named: Vec<_> = text
        .split(|&b| b == b'\n')
        .filter_map(|line| line.split(|&b| b == b'#').next())
        .flat_map(|line| line.split(|b| b" \t:".contains(b)))
        .filter(|name| !name.is_empty())
        .map(|name| escaped(std::ffi::OsStr::from_bytes(name)).to_string())
        .collect();
    if !named.is_empty() {
        let path = on_host(root, PRELOAD);
        let mend = Some(format!("rm {}", shell(&path)));
        report.send(Finding::new(What::Preload, Some(path), named.join(", ")).mend(mend));
    }
}

/// Modules of the name service: glibc's alone are files that the configuration names.
fn modules(root: &Sysroot, report: Report<'_>) {
    let Some(text) = read(root, NSSWITCH, report) else { return };
    let dirs = library_dirs(root);
    let find = |name: &str| dirs.iter().map(|d| d.join(name)).find(|p| root.walk(p).is_ok());
    let Some(libc) = find("libc.so.6") else { return };
    let built_in = has_files_and_dns(root, &libc);
    for service in services(&String::from_utf8_lossy(&text)) {
        let module = format!("libnss_{service}.so.2");
        if built_in && ["files", "dns"].contains(&service.as_str()) || find(&module).is_some() {
            continue;
        }
        let host = Sysroot::open(Path::new("/")).ok();
        let mend = host
            .and_then(|host| {
                let mut places = library_dirs(&host).into_iter().map(|dir| dir.join(&module));
                places.find(|path| host.walk(path).is_ok())
            })
            .map(|path| format!("isol root add {} {}", shell(root.path()), shell(path)));
        let path = on_host(root, NSSWITCH);
        // What nobody has nobody can ask.
        let mend = mend.or_else(|| nsswitch::without_command(&service, &path));
        report.send(Finding::new(What::MissingModule, Some(path), module).mend(mend));
    }
}

/// The services in a configuration: `hosts: files [NOTFOUND=return] dns`.
fn services(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((_, mut rest)) = line.split_once(':') else { continue };
        let mut plain = String::new();
        while let Some((before, behind)) = rest.split_once('[') {
            plain.push_str(before);
            plain.push(' ');
            rest = behind.split_once(']').map_or("", |(_, behind)| behind);
        }
        plain.push_str(rest);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        found
            .extend(plain.split_whitespace().filter(|w| w.chars().all(is_name)).map(str::to_owned));
    }
    found
}

/// glibc has had these two in itself since 2.34.
fn has_files_and_dns(root: &Sysroot, libc: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = root.walk(libc).and_then(|trail| trail.open_file());
    read.is_ok_and(|file| file.take(64 << 20).read_to_end(&mut bytes).is_ok())
        && bytes.windows(11).any(|part| part == b"GLIBC_2.34\0")
}

fn library_dirs(root: &Sysroot) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for dir in LIBRARIES.map(PathBuf::from) {
        let Ok(trail) = root.walk(&dir) else { continue };
        let Some(open) = trail.dir() else { continue };
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        if let Ok(mut open) = Dir::openat(open, ".", flags, Mode::empty()) {
            let names = open.iter().flatten().map(|entry| entry.file_name().to_owned());
            let machines = names.filter(|n| n.to_bytes().windows(7).any(|part| part == b"-linux-"));
            found.extend(machines.map(|n| dir.join(std::ffi::OsStr::from_bytes(n.to_bytes()))));
        }
        found.push(dir);
    }
    found
}

/// What a file says, if it is there.
fn read(root: &Sysroot, path: &str, report: Report<'_>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let done = root.walk(path.as_ref()).and_then(|trail| trail.open_file()).and_then(|file| {
        let source = |e: std::io::Error| WalkError::Io {
            path: PathBuf::from(path),
            source: crate::walk::errno(&e),
        };
        file.take(MOST).read_to_end(&mut bytes).map_err(source)
    });
    match done {
        Ok(_) => Some(bytes),
        Err(error) if error.is_missing() => None,
        Err(error) => {
            report.send(Finding::new(What::Unread, Some(on_host(root, path)), error.to_string()));
            None
        }
    }
}

fn on_host(root: &Sysroot, path: &str) -> PathBuf {
    root.path().join(path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::services;

    #[test]
    fn services_are_read_without_their_actions() {
        let text = "passwd: files systemd # sss\n#group: nis\nhosts:\tfiles [!UNAVAIL = return] dns[SUCCESS=merge]mymachines\nodd\n";
        let found: Vec<_> = services(text).into_iter().collect();
        assert_eq!(found, ["dns", "files", "mymachines", "systemd"]);
    }
}
