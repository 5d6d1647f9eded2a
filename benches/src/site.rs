//! What is measured with: the programs, and a root with one program in it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::Result;

/// Nobody runs under it. 65534, `nobody`, often runs something outside.
pub(crate) const UID: &str = "64999";
/// An account by which a name is looked up that nothing runs under.
pub(crate) const NAMES: [&str; 5] = ["games", "uucp", "news", "lp", "nobody"];

pub(crate) struct Site {
    pub(crate) floors: PathBuf,
    pub(crate) isol: PathBuf,
    pub(crate) root: PathBuf,
}

impl Site {
    pub(crate) fn new(floors: &str, isol: &str) -> Result<Self> {
        let (floors, isol) = (fs::canonicalize(floors)?, fs::canonicalize(isol)?);
        let root = PathBuf::from(format!("/srv/isol-bench-{}", std::process::id()));
        let site = Self { floors, isol, root };
        fs::create_dir_all(site.root.join("bin"))?;
        for dir in [&site.root, &site.root.join("bin")] {
            fs::set_permissions(dir, Permissions::from_mode(0o755))?;
        }
        let program = site.root.join("bin/true");
        fs::copy(site.floor("true"), &program)?;
        fs::set_permissions(program, Permissions::from_mode(0o755))?;
        Ok(site)
    }

    pub(crate) fn floor(&self, name: &str) -> PathBuf {
        self.floors.join(name)
    }

    /// The default filter, as the kernel takes it.
    pub(crate) fn filter(&self) -> Result<PathBuf> {
        let file = self.root.join("filter");
        let refusals = isol::seccomp::RULES.iter().flat_map(|rule| rule.refuses);
        fs::write(&file, isol_sys::filter::compile(refusals)?.to_bytes())?;
        Ok(file)
    }

    /// A program of the host's, or of an environment variable's choice.
    pub(crate) fn peer(name: &str) -> Option<PathBuf> {
        let chosen = std::env::var_os(name.to_uppercase()).map(PathBuf::from);
        let usual = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin"];
        chosen
            .into_iter()
            .chain(usual.map(|dir| Path::new(dir).join(name)))
            .find(|path| path.is_file())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}
