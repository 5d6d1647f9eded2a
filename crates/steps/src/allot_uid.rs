//! An unused uid, held for as long as the program runs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use isol_core::{
    AUTO_UIDS, Gid, Hold, Ids, Mode, PrepareError, Problem, Scene, Step, Uid, step_names,
};
use isol_sys::state::{Lock, StateDir, StateError};
use isol_sys::{process, processes, users};

use crate::left_behind;
use crate::sweep::lock_name;

#[derive(Debug)]
pub(crate) struct AllotUid {
    pub(crate) groups: Vec<Gid>,
    held: Option<Arc<HeldUid>>,
}

/// A hold on a uid: no other isol gives it away as long as this is there.
#[derive(Debug)]
pub struct HeldUid {
    uid: Uid,
    lock: Lock,
    over: AtomicBool,
}

impl HeldUid {
    /// Finds a uid that has no account, no group and no process, and holds it.
    ///
    /// # Errors
    /// None is free, the state directory can't be used, or there is no list of processes.
    ///
    /// # References
    /// flock(2)
    pub fn find() -> Result<Self, PrepareError> {
        let state = StateDir::open().map_err(|error| unusable(&error))?;
        for uid in candidates() {
            if is_taken(uid)? {
                continue;
            }
            let Some(lock) = state.try_lock(&lock_name(uid)).map_err(|error| unusable(&error))?
            else {
                continue;
            };
            // Behind the lock: no other isol gives it away now.
            match processes::under(uid) {
                // A run that nobody outlived has left something: whoever is given the uid would own it.
                Ok(none)
                    if none.is_empty() && left_behind::any(uid).map_err(|e| no_objects(&e))? => {}
                Ok(none) if none.is_empty() => {
                    return Ok(Self { uid, lock, over: AtomicBool::new(false) });
                }
                Ok(_) => {}
                Err(error) => return Err(no_list(&error).into()),
            }
        }
        Err(Problem::new(
            step_names::ALLOT_UID,
            format!("no uid from {} to {} is free", AUTO_UIDS.start(), AUTO_UIDS.end()),
            "each is held by a running isol, has an account, or has processes",
        )
        .help("name a user: --user NAME")
        .into())
    }

    /// The uid.
    #[must_use]
    pub fn uid(&self) -> Uid {
        self.uid
    }
}

impl Hold for HeldUid {
    fn note(&self, text: &str) -> io::Result<()> {
        self.lock.set_payload(text).map_err(io::Error::other)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

impl AllotUid {
    pub(crate) fn new(groups: Vec<Gid>) -> Self {
        Self { groups, held: None }
    }
}

impl Step for AllotUid {
    tells!(Prepare, step_names::ALLOT_UID, ["openat", "flock"], [UidDedicated, UidDropped]);

    fn explains(&self) -> String {
        let (first, last) = (AUTO_UIDS.start(), AUTO_UIDS.end());
        format!(
            "take an unused uid from {first} to {last}, and hold it by a lock until the program has ended"
        )
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        if scene.mode != Mode::Spawn {
            return Err(Problem::new(
                self.name(),
                format!("an allotted uid can't be held in mode {}", scene.mode),
                "somebody has to outlive the program to give it back",
            )
            .help("name a user")
            .into());
        }
        let held = Arc::new(HeldUid::find()?);
        let uid = held.uid();
        let gid = Gid::new(uid.get()).expect("the range is below 4294967295");
        scene.ids = Some(Ids::new(uid, gid, self.groups.clone()));
        scene.uid_hold = Some(Arc::clone(&held) as Arc<dyn Hold>);
        self.held = Some(held);
        Ok(())
    }

    fn serves_one_program(&self) -> bool {
        true
    }

    fn stop(&mut self) {
        let Some(held) = &self.held else { return };
        match end_all(held.uid) && left_behind::remove(held.uid).is_ok() {
            true => held.over.store(true, Ordering::Relaxed),
            // Something can't be ended or removed now: the lock file stays, the next run sees to it.
            false => std::mem::forget(Arc::clone(held)),
        }
    }

    fn undo(&mut self) {
        self.held = None;
    }
}

/// Kills everything under a uid; false if something is still there after a while.
pub(crate) fn end_all(uid: Uid) -> bool {
    for pause in [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] {
        std::thread::sleep(Duration::from_millis(pause));
        // Whoever ran under it had no other, and could get none.
        match processes::have_ended(uid) {
            Ok(true) => return true,
            _ => drop(process::kill_all_of(uid)),
        }
    }
    false
}

/// Every uid of the range, from a place that differs from run to run.
fn candidates() -> impl Iterator<Item = Uid> {
    let (first, count) = (*AUTO_UIDS.start(), AUTO_UIDS.end() - AUTO_UIDS.start() + 1);
    let start = (process::Pid::own().get() as u32).wrapping_mul(2_654_435_761) % count;
    (0..count).filter_map(move |n| Uid::new(first + (start + n) % count))
}

/// Whether an account, a group or a service of systemd's has the number.
pub(crate) fn is_taken(uid: Uid) -> Result<bool, PrepareError> {
    let look_up = |errno| {
        PrepareError::from(Problem::call(
            step_names::ALLOT_UID,
            format!("can't look uid {uid} up"),
            errno,
        ))
    };
    let gid = Gid::new(uid.get()).expect("the range is below 4294967295");
    Ok(left_behind::is_systemds(uid)
        || users::by_uid(uid).map_err(look_up)?.is_some()
        || users::group_exists(gid).map_err(look_up)?)
}

fn unusable(error: &StateError) -> Problem {
    error.problem(step_names::ALLOT_UID, "can't hold a uid")
}

fn no_objects(error: &io::Error) -> Problem {
    Problem::io(
        step_names::ALLOT_UID,
        "can't tell which uids own nothing: no list of IPC objects",
        error,
    )
    .help("mount -t proc proc /proc   (as root), or name a user")
}

fn no_list(error: &io::Error) -> Problem {
    Problem::io(step_names::ALLOT_UID, "can't tell which uids are unused: no list of processes", error)
        .help("mount -t proc proc /proc   (as root; without hidepid), or name a user and say --allow shared-uid")
}
