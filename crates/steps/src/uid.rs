//! The uid.

use isol_core::{Fault, PrepareError, Scene, Stage, Step, Uid, step_names};
use isol_sys::ids;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct DropUid {
    /// `None` for one that is allotted.
    pub(crate) uid: Option<Uid>,
}

impl Step for DropUid {
    tells!(
        Drop,
        step_names::UID,
        ["setresuid", "getresuid"],
        [UidDropped, PrivilegesEmpty, NoNewRoot]
    );

    fn explains(&self) -> String {
        let uid = self.uid.map_or("the allotted one".into(), |u| u.to_string());
        format!("real, effective and saved uid: {uid}; then try to get 0 back")
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        self.uid = Some(crate::dedicated_uid::ids(scene, step_names::UID)?.uid);
        Ok(())
    }

    fn apply(&self, stage: &Stage) -> Result<(), Fault> {
        let uid = self.uid.ok_or(Fault::state("not prepared"))?;
        ids::set_uid(uid, stage.threads).map_err(doing("setresuid"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let uid = self.uid.ok_or(Fault::state("not prepared"))?;
        must(ids::uid_is(uid), "the uid is another")?;
        must(uid.is_root() || !ids::can_become_root(), "uid 0 could be had back")
    }
}
