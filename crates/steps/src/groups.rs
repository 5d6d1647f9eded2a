//! The supplementary groups.

use isol_core::{Fault, Gid, Ids, PrepareError, Scene, Stage, Step, step_names};
use isol_sys::ids::GroupList;

use crate::dedicated_uid::ids;
use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct Groups {
    pub(crate) groups: Vec<Gid>,
    list: Option<GroupList>,
}

impl Groups {
    pub(crate) fn new(groups: Vec<Gid>) -> Self {
        Self { groups, list: None }
    }

    fn list(&self) -> Result<&GroupList, Fault> {
        self.list.as_ref().ok_or(Fault::state("not prepared"))
    }
}

impl Step for Groups {
    tells!(Drop, step_names::GROUPS, ["setgroups", "getgroups"], [GroupsExact]);

    fn explains(&self) -> String {
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
        self.list()?.set(stage.threads).map_err(doing("setgroups"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let exact = self.list()?.is_in_force().map_err(doing("getgroups"))?;
        must(exact, "the supplementary groups are others")
    }
}

/// They stay those of the caller, who is an ordinary user and can't change them.
#[derive(Debug)]
pub(crate) struct GroupsStay;

impl Step for GroupsStay {
    tells!(Drop, step_names::GROUPS, [], []);

    fn explains(&self) -> String {
        "the supplementary groups stay: an ordinary user can't change them".into()
    }
}
