//! The gid.

use isol_core::{Fault, Gid, PrepareError, Scene, Stage, Step, step_names};
use isol_sys::ids;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct DropGid {
    /// `None` for one that is allotted.
    pub(crate) gid: Option<Gid>,
}

impl Step for DropGid {
    tells!(Drop, step_names::GID, ["setresgid", "getresgid"], [GidDropped]);

    fn explains(&self) -> String {
        let gid = self.gid.map_or("the allotted one".into(), |g| g.to_string());
        format!("real, effective and saved gid: {gid}; then try to get 0 back")
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        self.gid = Some(crate::dedicated_uid::ids(scene, step_names::GID)?.gid);
        Ok(())
    }

    fn apply(&self, stage: &Stage) -> Result<(), Fault> {
        let gid = self.gid.ok_or(Fault::state("not prepared"))?;
        ids::set_gid(gid, stage.threads).map_err(doing("setresgid"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let gid = self.gid.ok_or(Fault::state("not prepared"))?;
        must(ids::gid_is(gid), "the gid is another")?;
        must(gid.is_root() || !ids::can_become_root_group(), "gid 0 could be had back")
    }
}
