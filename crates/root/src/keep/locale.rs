//! Locales, where the C library looks for them.

use std::path::{Path, PathBuf};

use super::KeepError;
use crate::walk::Sysroot;

const DIRECTORY: &str = "/usr/lib/locale";
const ARCHIVE: &str = "/usr/lib/locale/locale-archive";

/// What has to be copied for a locale: its directory, or the archive that it is in, or nothing if it is a part of the C
/// library.
pub(super) fn find(host: &Sysroot, name: &str) -> Result<Option<PathBuf>, KeepError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.@".contains(c);
    let absent = |why: String| KeepError::CantHonour {
        what: format!("there is no locale `{name}`"),
        why,
        help: Some(format!("locale-gen {name}; `locale -a` lists those that are there")),
    };
    if name.is_empty() || !name.chars().all(plain) || name.starts_with('.') {
        return Err(KeepError::CantHonour {
            what: format!("{name:?} is no name of a locale"),
            why: String::from("one is `C.UTF-8`"),
            help: None,
        });
    }
    let names = [name.to_owned(), normalised(name)];
    for name in &names {
        let path = Path::new(DIRECTORY).join(name);
        if host.walk(&path).is_ok_and(|trail| trail.dir().is_some()) {
            return Ok(Some(path));
        }
    }
    if in_archive(host, &names)? {
        return Ok(Some(PathBuf::from(ARCHIVE)));
    }
    // Since glibc 2.35, and always in musl.
    let builtin = ["C", "POSIX", "C.utf8"].contains(&names[1].as_str());
    if builtin {
        Ok(None)
    } else {
        Err(absent(format!("it is neither in {DIRECTORY} nor in its archive")))
    }
}

/// As the C library writes it: the codeset in lower case, with letters and digits only.
fn normalised(name: &str) -> String {
    let (rest, modifier) = match name.split_once('@') {
        Some((rest, modifier)) => (rest, format!("@{modifier}")),
        None => (name, String::new()),
    };
    match rest.split_once('.') {
        Some((language, codeset)) => {
            let codeset = codeset.chars().filter(char::is_ascii_alphanumeric);
            let codeset: String = codeset.map(|c| c.to_ascii_lowercase()).collect();
            format!("{language}.{codeset}{modifier}")
        }
        None => name.to_owned(),
    }
}

/// The archive's names end in NUL.
fn in_archive(host: &Sysroot, names: &[String]) -> Result<bool, KeepError> {
    use std::io::Read;
    /// The names stand before the locales themselves.
    const MAX: u64 = 4 << 20;
    let trail = match host.walk(Path::new(ARCHIVE)) {
        Ok(trail) => trail,
        Err(e) if e.is_missing() => return Ok(false),
        Err(e) => return Err(e.into()),
    };
    let mut bytes = Vec::new();
    let read = trail.open_file()?.take(MAX).read_to_end(&mut bytes);
    read.map_err(KeepError::std("read", Path::new(ARCHIVE)))?;
    let mut texts = bytes.split(|&b| b == 0);
    Ok(texts.any(|text| names.iter().any(|name| name.as_bytes() == text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_as_the_c_library_does() {
        assert_eq!(normalised("C.UTF-8"), "C.utf8");
        assert_eq!(normalised("de_DE.ISO-8859-15@euro"), "de_DE.iso885915@euro");
        assert_eq!(normalised("POSIX"), "POSIX");
    }

    #[test]
    fn one_that_is_not_there_is_refused() {
        let host = Sysroot::open(Path::new("/")).unwrap();
        for name in ["xx_YY.UTF-8", "", "../x", "a/b"] {
            assert!(find(&host, name).is_err(), "{name}");
        }
        assert!(find(&host, "C").unwrap().is_none());
    }
}
