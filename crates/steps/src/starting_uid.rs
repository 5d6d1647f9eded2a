//! A hold on a named uid, from before the look at who runs under it until the program shows under it: of two runs that
//! start at once, the second one looks when it sees the first.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use isol_core::{Hold, Ids, PrepareError, Problem, Uid, step_names};
use isol_sys::state::{Byte, StateDir, StateError};

/// How long another run may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Starting {
    uid: Uid,
    state: StateDir,
    /// While one is being started.
    byte: Mutex<Option<Byte>>,
}

impl Starting {
    /// Waits for others that start under the uid; `None`, and a note, where the host has no place for a lock.
    pub(crate) fn of(
        ids: &Ids,
        notes: &mut Vec<String>,
    ) -> Result<Option<Arc<Self>>, PrepareError> {
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
        let starting = Self { uid: ids.uid, state, byte: Mutex::new(None) };
        starting.again()?;
        Ok(Some(Arc::new(starting)))
    }

    /// For one more program.
    pub(crate) fn again(&self) -> Result<(), PrepareError> {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let mut held = self.held();
            if held.is_none() {
                let byte = self.state.lock_byte(self.uid.get(), left);
                *held = byte.map_err(|error| unusable(&error))?;
                return if held.is_some() { Ok(()) } else { Err(self.busy().into()) };
            }
            // Another thread is about to start one.
            drop(held);
            if left.is_zero() {
                return Err(self.busy().into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Byte>> {
        self.byte.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> Problem {
        Problem::new(
            step_names::DEDICATED_UID,
            format!("another isol is starting a program under uid {}", self.uid),
            format!("it has not come to an end of that in {} s", PATIENCE.as_secs()),
        )
        .help("give the program a uid of its own: --user auto, or say --allow shared-uid")
    }
}

impl Hold for Starting {
    // Whoever is killed while starting leaves nothing.
    fn note(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn descriptor(&self) -> Option<i32> {
        self.held().as_ref().map(|byte| byte.as_fd().as_raw_fd())
    }

    fn settled(&self) {
        self.held().take();
    }
}

fn unusable(error: &StateError) -> Problem {
    error.problem(step_names::DEDICATED_UID, "can't hold the uid")
}
