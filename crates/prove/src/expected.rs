//! What the policy asked for, as the attacks would see it.

use std::path::PathBuf;

/// What the policy asked for, in the words in which attacks report.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The uid.
    pub uid: u32,
    /// The gid.
    pub gid: u32,
    /// The supplementary groups, sorted.
    pub groups: Vec<u32>,
    /// The environment, sorted, as `NAME=VALUE`.
    pub environment: Vec<String>,
    /// The umask.
    pub umask: u32,
    /// The limits that the policy names, as (name, soft, hard).
    pub limits: Vec<(&'static str, u64, u64)>,
    /// Where the program starts.
    pub workdir: PathBuf,
    /// The parent-death signal.
    pub parent_death_signal: i32,
    /// What stands in the file that must stay out of reach.
    pub secret: String,
    /// The root's device and inode number.
    pub root: (u64, u64),
    /// The host's name.
    pub hostname: String,
    /// Whether uid 0 is to be no superuser inside.
    pub superuser_off: bool,
    /// Whether system calls that no confined program needs are to be refused.
    pub filtered: bool,
    /// A mount point outside of the root.
    pub mount_point: PathBuf,
}

impl Expected {
    /// Three equal ids, as attacks report them.
    #[must_use]
    pub fn three(id: u32) -> String {
        format!("{id} {id} {id}")
    }
}
