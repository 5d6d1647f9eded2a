//! What is in a tree, by name, and where it came from: a JSON file beside the tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Recipe, path_text};
use crate::closure::Why;

/// The version of the file's format. A manifest of another one is not read.
const VERSION: u32 = 1;

/// What is in a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    version: u32,
    /// What the tree was asked to hold.
    pub recipe: Recipe,
    /// Everything in it, in the order of paths. The root itself is not among it.
    pub entries: Vec<Entry>,
}

/// What kind of file something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EntryType {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
    /// A character device.
    Device,
}

/// One file in a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entry {
    /// Where: absolute, as seen from inside. No directory in it is reached through a link.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// What.
    #[serde(rename = "type")]
    pub kind: EntryType,
    /// The permission bits, in octal; a link has none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "octal")]
    pub mode: Option<u32>,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The length of a file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The digest of a file, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The capabilities of a file, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<String>,
    /// What a link says.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "path_text::optional")]
    pub target: Option<PathBuf>,
    /// The number of a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u64>,
    /// The host's file that it is a copy of; nothing for what was made up.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "path_text::optional")]
    pub from: Option<PathBuf>,
    /// What it is there for.
    pub why: Why,
}

impl Entry {
    /// Whether programs may change what is in it: a directory that is not root's alone to write to.
    #[must_use]
    pub fn is_for_writing(&self) -> bool {
        self.kind == EntryType::Directory
            && (self.uid != 0 || self.mode.is_some_and(|mode| mode & 0o022 != 0))
    }
}

impl Manifest {
    pub(super) fn new(recipe: Recipe, entries: BTreeMap<PathBuf, Entry>) -> Self {
        Self { version: VERSION, recipe, entries: entries.into_values().collect() }
    }

    pub(super) fn by_path(&self) -> BTreeMap<PathBuf, Entry> {
        self.entries.iter().map(|entry| (entry.path.clone(), entry.clone())).collect()
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        if manifest.version != VERSION {
            return Err(format!("a manifest of version {}, not {VERSION}", manifest.version));
        }
        manifest.check().map(|()| manifest)
    }

    /// Each path is absolute, has no `..` in it, is in a directory of the manifest's, and comes once.
    fn check(&self) -> Result<(), String> {
        let mut seen = BTreeMap::new();
        for entry in &self.entries {
            let path = &entry.path;
            let normal = path.is_absolute()
                && path.file_name().is_some()
                && path.components().collect::<PathBuf>().as_os_str() == path.as_os_str()
                && !path.components().any(|part| part.as_os_str() == "..");
            let above = path.parent().filter(|above| *above != Path::new("/"));
            let in_directory = above.is_none_or(|above| {
                seen.get(above).is_some_and(|kind| *kind == EntryType::Directory)
            });
            if !normal || !in_directory || seen.insert(path.as_path(), entry.kind).is_some() {
                return Err(format!("{:?} is no path, comes twice, or is in no directory", path));
            }
        }
        Ok(())
    }

    pub(super) fn to_text(&self) -> Result<Vec<u8>, String> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|e| e.to_string())?;
        text.push(b'\n');
        Ok(text)
    }
}

/// Four octal digits, as everybody writes modes.
mod octal {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(mode: &Option<u32>, to: S) -> Result<S::Ok, S::Error> {
        match mode {
            Some(mode) => to.serialize_str(&format!("{mode:04o}")),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o7777);
        mode.map(Some).ok_or_else(|| D::Error::custom(format!("{text:?} is no mode")))
    }
}
