//! Paths in JSON: as they are if they are UTF-8 without a backslash; a backslash is doubled, and any other byte that
//! can't stand in the text is `\` and three octal digits.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

fn encode(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', r"\\"));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\{byte:03o}")));
    }
    text
}

fn decode(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'\\' {
            bytes.push(first);
        } else if let Some(after) = rest.strip_prefix(b"\\") {
            bytes.push(b'\\');
            rest = after;
        } else {
            let digits = std::str::from_utf8(rest.get(..3)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 8).ok()?);
            rest = &rest[3..];
        }
    }
    (!bytes.contains(&0)).then(|| PathBuf::from(OsString::from_vec(bytes)))
}

pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&encode(path))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(from)?;
    decode(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no path")))
}

/// Lists of them.
pub(super) mod list {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(paths: &[PathBuf], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(paths.iter().map(|path| encode(path)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<PathBuf>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let decoded = texts.iter().map(|text| decode(text));
        decoded.collect::<Option<_>>().ok_or_else(|| D::Error::custom("a path that is none"))
    }
}

/// One that need not be there.
pub(super) mod optional {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        path: &Option<PathBuf>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match path {
            Some(path) => to.serialize_str(&encode(path)),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<PathBuf>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        decode(&text).map(Some).ok_or_else(|| D::Error::custom(format!("{text:?} is no path")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn every_path_comes_back() {
        let paths: [&[u8]; 6] =
            [b"/usr/bin/id", b"/a\\x2db", b"/\xff\xfe", b"/a\xc3\xa9\xc3", b"/\\377", b"/a\nb"];
        for bytes in paths {
            let path = Path::new(OsStr::from_bytes(bytes));
            assert_eq!(decode(&encode(path)).as_deref(), Some(path));
        }
        assert_eq!(encode("/usr/bin/id".as_ref()), "/usr/bin/id");
        assert_eq!(encode(OsStr::from_bytes(b"/\xff").as_ref()), r"/\377");
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [r"\", r"\37", r"\xyz", r"\777", "\0", r"\000"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
