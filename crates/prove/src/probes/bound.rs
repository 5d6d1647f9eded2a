//! What a run must not take for `--bind`.

use std::io;
use std::path::Path;

use crate::launcher;
use crate::scenario::Scenario;
use crate::trap::Laid;

/// Asks for it, where the backend mounts anything.
pub(super) fn bind(
    scenario: &mut Scenario,
    source: &Path,
    target: &Path,
    undone_by: impl FnOnce() + 'static,
) -> io::Result<Laid> {
    // What is not there any more when this goes.
    let laid = Laid::undone_by(undone_by);
    scenario.binds.push(format!("{}:{}", source.display(), target.display()));
    match launcher::plan(scenario) {
        Ok(_) => Ok(laid),
        Err(_) => {
            scenario.binds.clear();
            drop(laid);
            Ok(Laid::not_here("nothing is mounted for such a run"))
        }
    }
}
