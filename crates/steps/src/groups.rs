//! The supplementary groups.

use isol_core::{Fault, Gid, Ids, PrepareError, Scene, Stage, Step, step_names};
use isol_sys::ids::GroupList;

use crate::dedicated_uid::ids;
use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct Groups {
    pub(crate) groups: Vec<Gid>,
    list: Option<GroupList>,
    /// Whether they stay the caller's, who is an ordinary user and can't change them.
    stay: bool,
}

impl Groups {
    pub(crate) fn new(groups: Vec<Gid>, stay: bool) -> Self {
        Self { groups, list: None, stay }
    }

    fn list(&self) -> Result<&GroupList, Fault> {
        self.list.as_ref().ok_or(Fault::state("not prepared"))
    }
}

impl Step for Groups {
    tells!(Drop, step_names::GROUPS, ["setgroups", "getgroups"], [GroupsExact]);

    fn explains(&self) -> String {
        if self.stay {
            return "the supplementary groups stay: an ordinary user can't change them".into();
        }
        if self.groups.is_empty() {
            return "no supplementary group".into();
        }
        let groups: Vec<_> = self.groups.iter().map(Gid::to_string).collect();
        format!("the supplementary groups {} and no other", groups.join(", "))
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let Ids { gid, groups, .. } = ids(scene, step_names::GROUPS)?;
        self.list = Some(GroupList::new(*gid, groups));
        Ok(())
    }

    fn apply(&self, stage: &Stage) -> Result<(), Fault> {
        if self.stay {
            return Ok(());
        }
        self.list()?.set(stage.threads).map_err(doing("setgroups"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        if self.stay {
            return Ok(());
        }
        let exact = self.list()?.is_in_force().map_err(doing("getgroups"))?;
        must(exact, "the supplementary groups are others")
    }
}
