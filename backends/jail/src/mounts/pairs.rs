//! What nmount(2) is told, as data.

use std::ffi::CString;
use std::path::Path;

use isol_core::Problem;
use isol_sys::jail::Request;
use isol_sys::nmount::Forbids;

use std::os::unix::ffi::OsStrExt;

use super::NAME;

type Pairs = Vec<(&'static str, Option<Vec<u8>>)>;

/// A file system that is there, seen at another place. One of both paths is `.`, or a name in the working directory.
pub(super) fn nullfs(from: &Path, on: &Path, forbids: Forbids) -> Result<Request, Problem> {
    let mut pairs: Pairs =
        vec![("fstype", text("nullfs")), ("fspath", path(on)), ("from", path(from))];
    pairs.extend(flags(forbids));
    request(pairs)
}

/// A new file system in memory, for everybody to write to.
pub(super) fn tmpfs(on: &Path, size: u64, forbids: Forbids) -> Result<Request, Problem> {
    let mut pairs: Pairs = vec![
        ("fstype", text("tmpfs")),
        ("fspath", path(on)),
        ("size", text(&size.to_string())),
        ("mode", text("1777")),
        ("uid", text("0")),
        ("gid", text("0")),
    ];
    pairs.extend(flags(forbids));
    request(pairs)
}

/// Devices, those that a ruleset shows.
pub(super) fn devfs(on: &Path, ruleset: i32, forbids: Forbids) -> Result<Request, Problem> {
    let mut pairs: Pairs = vec![
        ("fstype", text("devfs")),
        ("fspath", path(on)),
        ("ruleset", text(&ruleset.to_string())),
    ];
    pairs.extend(flags(forbids));
    request(pairs)
}

fn text(text: &str) -> Option<Vec<u8>> {
    path(Path::new(text))
}

fn path(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = path.as_os_str().as_bytes().to_vec();
    bytes.push(0);
    Some(bytes)
}

fn flags(forbids: Forbids) -> impl Iterator<Item = (&'static str, Option<Vec<u8>>)> {
    [("ro", forbids.write), ("noexec", forbids.exec), ("nosuid", forbids.set_id)]
        .into_iter()
        .filter_map(|(name, yes)| yes.then_some((name, None)))
}

fn request(pairs: Pairs) -> Result<Request, Problem> {
    let pairs = pairs.into_iter().map(|(name, value)| Some((CString::new(name).ok()?, value)));
    let no_nul =
        |value: &Option<Vec<u8>>| value.iter().all(|bytes| !bytes[..bytes.len() - 1].contains(&0));
    match pairs.collect::<Option<Vec<_>>>() {
        Some(pairs) if pairs.iter().all(|(_, value)| no_nul(value)) => Ok(Request::new(pairs)),
        _ => Err(Problem::new(NAME, "a path to mount has a NUL byte in it", "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name=value`, as mount(8) has them.
    fn words(request: &Request) -> String {
        let word = |(name, value): &(CString, Option<Vec<u8>>)| {
            let value = value.as_ref().map(|bytes| {
                assert_eq!(bytes.last(), Some(&0), "a text ends in NUL");
                format!("={}", String::from_utf8_lossy(&bytes[..bytes.len() - 1]))
            });
            format!("{}{}", name.to_string_lossy(), value.unwrap_or_default())
        };
        request.pairs().iter().map(word).collect::<Vec<_>>().join(" ")
    }

    const ALL: Forbids = Forbids { write: true, exec: true, set_id: true };

    #[test]
    fn what_is_told_is_texts_and_flags() {
        let (here, there) = (Path::new("."), Path::new("/run/0"));
        assert_eq!(
            words(&nullfs(here, there, ALL).unwrap()),
            "fstype=nullfs fspath=/run/0 from=. ro noexec nosuid"
        );
        let data = Forbids { write: false, ..ALL };
        assert_eq!(
            words(&tmpfs(there, 4096, data).unwrap()),
            "fstype=tmpfs fspath=/run/0 size=4096 mode=1777 uid=0 gid=0 noexec nosuid"
        );
        assert_eq!(
            words(&devfs(here, 4, data).unwrap()),
            "fstype=devfs fspath=. ruleset=4 noexec nosuid"
        );
    }

    #[test]
    fn a_flag_has_no_value_and_a_length_counts_the_nul() {
        let request =
            nullfs(Path::new("."), Path::new("/a"), Forbids { write: true, ..Forbids::default() });
        assert_eq!(request.unwrap().lengths()[..8], [7, 7, 7, 3, 5, 2, 3, 0]);
    }

    #[test]
    fn a_nul_in_a_path_is_refused() {
        assert!(nullfs(Path::new("a\0b"), Path::new("."), ALL).is_err());
    }
}
