//! What the policy asks to be mounted, in the order in which it is.

use std::path::PathBuf;

use isol_core::{Bind, Policy, Problem, Tmpfs};

use super::NAME;

/// As the policy has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    binds: Vec<Bind>,
    tmpfs: Vec<Tmpfs>,
}

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A new file system in memory, of so many bytes.
    New { target: PathBuf, size: u64 },
    /// Something of the host's.
    Bind(Bind),
}

impl Asked {
    pub(super) fn new(policy: &Policy) -> Self {
        Self { binds: policy.binds.clone(), tmpfs: policy.tmpfs.clone() }
    }

    pub(super) fn has_tmpfs(&self) -> bool {
        !self.tmpfs.is_empty()
    }

    pub(super) fn explains(&self) -> String {
        let tmpfs = self.tmpfs.iter().map(|tmpfs| format!("; an empty {tmpfs}, noexec"));
        let binds = self.binds.iter().map(|bind| format!("; {bind} of the host"));
        tmpfs.chain(binds).collect()
    }

    /// In their order; a size that was left out is a tenth of the memory.
    pub(super) fn wanted(&self) -> Result<Vec<Wanted>, Problem> {
        let mut wanted = Vec::new();
        for tmpfs in &self.tmpfs {
            let size = match tmpfs.size {
                Some(size) => size,
                None => {
                    isol_sys::limits::memory()
                        .map_err(super::call("can't tell how much memory there is"))?
                        / 10
                }
            };
            wanted.push(Wanted::New { target: tmpfs.target.clone(), size });
        }
        wanted.extend(self.binds.iter().cloned().map(Wanted::Bind));
        if wanted.iter().any(|one| one.target().as_os_str().is_empty()) {
            return Err(Problem::new(NAME, "nothing can be mounted on no path", ""));
        }
        Ok(wanted)
    }
}

impl Wanted {
    pub(super) fn target(&self) -> &std::path::Path {
        match self {
            Self::New { target, .. } => target,
            Self::Bind(bind) => &bind.target,
        }
    }
}
