//! Carrying a prepared plan out: here, here and then another program, or in a child.

mod child;
mod error;
mod image;
mod plumbing;
mod spawn;

use isol_core::{Mode, Prepared, Stage, ThreadScope};
use isol_sys::process::Pid;

pub use child::Child;
pub use error::LaunchError;
pub use image::Image;
pub use spawn::spawn;

/// Locks this process in.
///
/// # Errors
/// A step failed. This process is half isolated then: the caller must end it.
pub fn lock_in(prepared: &Prepared, threads: ThreadScope) -> Result<(), LaunchError> {
    let stage = in_place(prepared, Mode::Enter, threads);
    prepared.apply(&stage).map_err(|failure| LaunchError::step(prepared, failure))?;
    prepared.settle();
    Ok(())
}

/// Makes this process the program; returns only if that failed, and then the process
/// is half isolated: the caller must end it.
pub fn become_program(prepared: &Prepared, image: &Image) -> LaunchError {
    let stage = in_place(prepared, Mode::Exec, ThreadScope::Alone);
    if let Err(failure) = prepared.apply(&stage) {
        return LaunchError::step(prepared, failure);
    }
    let errno = image.execute();
    LaunchError::NotExecuted { program: image.program.clone(), errno }
}

fn in_place(prepared: &Prepared, mode: Mode, threads: ThreadScope) -> Stage {
    // Until the uid has changed, and everybody sees it: the program can't be told apart from nobody before.
    let report = prepared.scene().uid_hold.as_ref().and_then(|hold| hold.descriptor());
    Stage { mode, threads, parent: Pid::parent().get(), report, stdio: [None; 3] }
}
