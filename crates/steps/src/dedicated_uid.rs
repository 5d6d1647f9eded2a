//! Nobody else runs under the uid.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use isol_core::{Hold, Ids, PrepareError, Problem, Scene, Step, step_names};
use isol_sys::processes::{self, Process};
use isol_sys::state::{Byte, StateDir, StateError};

#[derive(Debug)]
pub(crate) struct DedicatedUid;

impl Step for DedicatedUid {
    tells!(Prepare, step_names::DEDICATED_UID, ["fcntl", "open", "read"], [UidDedicated]);

    fn explains(&self) -> String {
        "refuse a uid that any process runs under: it could trace and signal the program".into()
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let ids = ids(scene, self.name())?.clone();
        if scene.uid_hold.is_none() {
            scene.uid_hold = starting(&ids, &mut scene.notes)?.map(|hold| hold as Arc<dyn Hold>);
        }
        let found = processes::under(ids.uid).map_err(|error| {
            Problem::io(
                self.name(),
                format!("can't tell who runs under uid {}: no list of processes", ids.uid),
                &error,
            )
            .help(
                "mount -t proc proc /proc   (as root; without hidepid), or say --allow shared-uid",
            )
        })?;
        if !found.is_empty() {
            return Err(in_use(&ids, &found).into());
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
}

/// Held from before the look until the uid shows: of two runs that start at once, the second one looks when it sees the
/// first.
#[derive(Debug)]
struct Starting(Mutex<Option<Byte>>);

/// How long another run may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

fn starting(ids: &Ids, notes: &mut Vec<String>) -> Result<Option<Arc<Starting>>, PrepareError> {
    let state = match StateDir::open() {
        Ok(state) => state,
        // As for a daemon that sees the host's files read-only: the look is all that there is.
        Err(error @ StateError::NoPlace { .. }) => {
            notes.push(format!(
                "uid {}: another isol that starts at this moment would not be seen: {error}",
                ids.uid
            ));
            return Ok(None);
        }
        Err(error) => return Err(unusable(&error).into()),
    };
    match state.lock_byte(ids.uid.get(), PATIENCE).map_err(|error| unusable(&error))? {
        Some(byte) => Ok(Some(Arc::new(Starting(Mutex::new(Some(byte)))))),
        None => Err(Problem::new(
            step_names::DEDICATED_UID,
            format!("another isol is starting a program under uid {}", ids.uid),
            format!("it has not come to an end of that in {} s", PATIENCE.as_secs()),
        )
        .help("give the program a uid of its own: --user auto, or say --allow shared-uid")
        .into()),
    }
}

impl Starting {
    fn byte(&self) -> MutexGuard<'_, Option<Byte>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold for Starting {
    // Whoever is killed while starting leaves nothing.
    fn note(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn descriptor(&self) -> Option<i32> {
        self.byte().as_ref().map(|byte| byte.as_fd().as_raw_fd())
    }

    fn started(&self) {
        self.byte().take();
    }
}

fn unusable(error: &StateError) -> Problem {
    let mut problem =
        Problem::new(step_names::DEDICATED_UID, "can't hold the uid", error.to_string());
    problem.errno = error.errno().map(isol_sys::errno::from_nix);
    problem.help = error.mend().map(str::to_owned);
    problem
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
