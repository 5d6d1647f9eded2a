//! Nobody else runs under the uid.

use std::sync::Arc;

use isol_core::{Hold, Ids, PrepareError, Problem, Scene, Step, step_names};
use isol_sys::processes::{self, Process};

use crate::starting_uid::Starting;

#[derive(Debug, Default)]
pub(crate) struct DedicatedUid {
    /// Of a uid that is named. On an allotted one there is a hold already.
    starting: Option<Arc<Starting>>,
}

impl Step for DedicatedUid {
    tells!(Prepare, step_names::DEDICATED_UID, ["fcntl", "open", "read"], [UidDedicated]);

    fn explains(&self) -> String {
        "refuse a uid that any process runs under: it could trace and signal the program".into()
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let ids = ids(scene, self.name())?.clone();
        if scene.uid_hold.is_none() {
            self.starting = Starting::of(&ids, &mut scene.notes)?;
            scene.uid_hold = self.starting.clone().map(|hold| hold as Arc<dyn Hold>);
            nobody_has(&ids)?;
        } else if !matches!(processes::have_ended(ids.uid), Ok(true)) {
            // An allotted one: all uids of all processes were looked at when it was, behind its lock. Who has come since?
            nobody_has(&ids)?;
        }
        // Of an allotted uid: whoever finds the hold after a crash must know its processes
        // from a stranger's.
        if let (Some(hold), Some(root)) = (&scene.uid_hold, &scene.root) {
            let note = format!("root {} {}", root.device, root.inode);
            hold.note(&note).map_err(|e| {
                PrepareError::system(step_names::DEDICATED_UID, "can't note the root down", e)
            })?;
        }
        Ok(())
    }

    fn prepare_again(&self, scene: &Scene) -> Result<(), PrepareError> {
        if let Some(starting) = &self.starting {
            starting.again()?;
        }
        nobody_has(ids(scene, self.name())?)
    }
}

fn nobody_has(ids: &Ids) -> Result<(), PrepareError> {
    let found = processes::under(ids.uid).map_err(|error| {
        Problem::io(
            step_names::DEDICATED_UID,
            format!("can't tell who runs under uid {}: no list of processes", ids.uid),
            &error,
        )
        .help("mount -t proc proc /proc   (as root; without hidepid), or say --allow shared-uid")
    })?;
    if found.is_empty() { Ok(()) } else { Err(in_use(ids, &found).into()) }
}

pub(crate) fn ids<'a>(scene: &'a Scene, step: &'static str) -> Result<&'a Ids, PrepareError> {
    let missing = || {
        Problem::new(step, "nobody has said who the program will be", "no step has allotted a uid")
    };
    scene.ids.as_ref().ok_or_else(|| missing().into())
}

fn in_use(ids: &Ids, found: &[Process]) -> Problem {
    const SHOWN: usize = 5;
    let mut names: Vec<_> =
        found.iter().take(SHOWN).map(|p| format!("{} ({})", p.pid, p.name)).collect();
    if found.len() > SHOWN {
        names.push(format!("{} more", found.len() - SHOWN));
    }
    Problem::new(
        step_names::DEDICATED_UID,
        format!("uid {} already runs outside", ids.uid),
        format!("processes {}", names.join(", ")),
    )
    .help("give the program a uid of its own: --user auto, or say --allow shared-uid")
}
