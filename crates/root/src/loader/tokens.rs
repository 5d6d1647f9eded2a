//! `$ORIGIN`, `$LIB` and `$PLATFORM` in search paths.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What the names stand for; `$ORIGIN` is each object's own.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) lib: Option<OsString>,
    /// More than one where it depends on the processor.
    pub(crate) platforms: Vec<&'static str>,
}

impl Tokens {
    /// The directories of a search path. Empty and relative ones mean the working directory, which is nobody's to
    /// promise: they are passed over.
    pub(crate) fn dirs(&self, path: &OsStr, origin: Option<&Path>) -> Vec<PathBuf> {
        let parts = path.as_bytes().split(|&b| b == b':');
        parts.flat_map(|part| self.expand(OsStr::from_bytes(part), origin)).collect()
    }

    /// One element, with every value that its names may have; none if one of them has none.
    pub(crate) fn expand(&self, text: &OsStr, origin: Option<&Path>) -> Vec<PathBuf> {
        let mut done = vec![Vec::new()];
        let mut rest = text.as_bytes();
        while let Some(dollar) = rest.iter().position(|&b| b == b'$') {
            done.iter_mut().for_each(|text| text.extend_from_slice(&rest[..dollar]));
            let (name, after) = token(&rest[dollar + 1..]);
            let values: Vec<&[u8]> = match name {
                b"ORIGIN" => origin.into_iter().map(|dir| dir.as_os_str().as_bytes()).collect(),
                b"LIB" => self.lib.iter().map(|lib| lib.as_bytes()).collect(),
                b"PLATFORM" => self.platforms.iter().map(|platform| platform.as_bytes()).collect(),
                // The loaders leave what they don't know as it is.
                _ => vec![&rest[dollar..rest.len() - after.len()]],
            };
            done = done
                .iter()
                .flat_map(|text| values.iter().map(|value| [text, *value].concat()))
                .collect();
            rest = after;
        }
        let whole = |mut text: Vec<u8>| {
            text.extend_from_slice(rest);
            PathBuf::from(OsString::from_vec(text))
        };
        done.into_iter().map(whole).filter(|path| path.is_absolute()).collect()
    }
}

/// The name after a dollar sign, and what follows it.
fn token(text: &[u8]) -> (&[u8], &[u8]) {
    if let Some(inner) = text.strip_prefix(b"{") {
        return match inner.iter().position(|&b| b == b'}') {
            Some(end) => (&inner[..end], &inner[end + 1..]),
            None => (&[], text),
        };
    }
    let end =
        text.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(path: &str, origin: Option<&str>) -> Vec<String> {
        let tokens = Tokens { lib: Some("lib64".into()), platforms: vec!["haswell", "x86_64"] };
        let dirs = tokens.dirs(path.as_ref(), origin.map(Path::new));
        dirs.iter().map(|dir| dir.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn names_are_replaced() {
        assert_eq!(
            dirs("$ORIGIN/../lib:/opt/$LIB", Some("/a/bin")),
            ["/a/bin/../lib", "/opt/lib64"]
        );
        assert_eq!(dirs("${ORIGIN}x", Some("/a")), ["/ax"]);
        assert_eq!(dirs("/p/$PLATFORM/l", None), ["/p/haswell/l", "/p/x86_64/l"]);
        assert_eq!(dirs("/p/$OTHER/${X}", None), ["/p/$OTHER/${X}"]);
    }

    #[test]
    fn what_is_not_known_or_not_absolute_is_passed_over() {
        assert_eq!(dirs("$ORIGIN/lib:/b", None), ["/b"]);
        assert!(dirs("::lib:./x", Some("/a")).is_empty());
        assert_eq!(dirs("/a/${ORIGIN", Some("/x")), ["/a/${ORIGIN"]);
        assert_eq!(dirs("/a/$", Some("/x")), ["/a/$"]);
    }
}
