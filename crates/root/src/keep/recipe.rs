//! What a tree is asked to hold.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::path_text;

/// The names that [`Recipe::etc`] may hold.
pub const ETC: [&str; 5] = ["users", "hosts", "resolv", "localtime", "ssl"];

/// What a tree is asked to hold. Made anew from it, a tree is the same as long as the host is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Recipe {
    /// Programs, with all that they load when they start.
    #[serde(with = "path_text::list")]
    pub programs: Vec<PathBuf>,
    /// Files and directories, with what the programs and shared objects among them need.
    #[serde(with = "path_text::list")]
    pub add: Vec<PathBuf>,
    /// What a program was seen to open.
    #[serde(with = "path_text::list")]
    pub traced: Vec<PathBuf>,
    /// Devices, by their names in `/dev`.
    pub dev: Vec<String>,
    /// Configuration: names of [`ETC`].
    pub etc: Vec<String>,
    /// Whether names of users and hosts can be looked up.
    pub nss: bool,
    /// Locales.
    pub locale: Vec<String>,
    /// Whether there is a `/tmp` for everybody.
    pub tmp: bool,
    /// The user, besides root, whom `etc/passwd` knows.
    pub user: Option<Member>,
    /// Directories for a user to write to.
    pub writable: Vec<Writable>,
    /// Whether set-id bits come along.
    pub set_id: bool,
    /// Whether file capabilities come along.
    pub capabilities: bool,
}

/// A user of the tree's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The user's name, and the group's.
    pub name: String,
    /// The uid.
    pub uid: u32,
    /// The gid.
    pub gid: u32,
}

/// A directory that belongs to a user. What comes into it is not the tree's: it is neither verified nor updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writable {
    /// Where.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// Whose.
    pub uid: u32,
    /// Whose.
    pub gid: u32,
}
