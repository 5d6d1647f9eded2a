//! What is measured with: the programs, a root with one static program in it, and one with `/usr/bin/id`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// Nobody runs under it. 65534, `nobody`, often runs something outside.
pub(crate) const UID: &str = "64999";
/// An account by which a name is looked up that nothing runs under.
pub(crate) const NAMES: [&str; 5] = ["games", "uucp", "news", "lp", "nobody"];

pub(crate) struct Site {
    pub(crate) floors: PathBuf,
    pub(crate) isol: PathBuf,
    pub(crate) root: PathBuf,
    /// With the files that a throw-away root has for it.
    pub(crate) id_root: PathBuf,
}

impl Site {
    pub(crate) fn new(floors: &str, isol: &str) -> Result<Self> {
        let (floors, isol) = (fs::canonicalize(floors)?, fs::canonicalize(isol)?);
        let root = PathBuf::from(format!("/srv/isol-bench-{}", std::process::id()));
        let id_root = PathBuf::from(format!("{}-id", root.display()));
        let site = Self { floors, isol, root, id_root };
        fs::create_dir_all(site.root.join("bin"))?;
        for dir in [&site.root, &site.root.join("bin")] {
            fs::set_permissions(dir, Permissions::from_mode(0o755))?;
        }
        for name in ["true", "nothing"] {
            let program = site.root.join("bin").join(name);
            fs::copy(site.floor(name), &program)?;
            fs::set_permissions(program, Permissions::from_mode(0o755))?;
        }
        site.build_id_root()?;
        Ok(site)
    }

    fn build_id_root(&self) -> Result<()> {
        let mut build = Command::new(&self.isol);
        build.args(["root", "build"]).arg(&self.id_root).args(["--program", "/usr/bin/id"]);
        if !build.status()?.success() {
            return Err(format!("{build:?} has failed").into());
        }
        let etc = self.id_root.join("etc");
        fs::create_dir_all(&etc)?;
        fs::write(etc.join("passwd"), format!("root:x:0:0::/:\nisol:x:{UID}:{UID}::/:\n"))?;
        fs::write(etc.join("group"), format!("root:x:0:\nisol:x:{UID}:\n"))?;
        Ok(())
    }

    pub(crate) fn floor(&self, name: &str) -> PathBuf {
        self.floors.join(name)
    }

    /// The default filter, as the kernel takes it.
    pub(crate) fn filter(&self) -> Result<PathBuf> {
        let file = self.root.join("filter");
        fs::write(&file, filter()?)?;
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

/// isol's own, compiled.
pub(crate) fn filter() -> Result<Vec<u8>> {
    let refusals = isol::seccomp::RULES.iter().flat_map(|rule| rule.refuses);
    Ok(isol_sys::filter::compile(refusals)?.to_bytes())
}

impl Drop for Site {
    fn drop(&mut self) {
        for root in [&self.root, &self.id_root] {
            let _ = fs::remove_dir_all(root);
            let _ = fs::remove_file(format!("{}.isol-manifest.json", root.display()));
        }
    }
}
