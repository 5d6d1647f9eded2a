//! The root that a policy names.

use std::path::PathBuf;

/// Where the program's `/` comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// A directory that is there: an absolute path without `..`.
    Directory(PathBuf),
    /// A tree made for this one run, with the program, all that it loads, and these
    /// paths of the host's; removed when the program ends.
    ThrowAway {
        /// Files and directories of the host's to put in, each at its own path.
        add: Vec<PathBuf>,
    },
}
