//! What the jail is called.

use std::ffi::CString;
use std::sync::atomic::{AtomicU32, Ordering};

use isol_core::{Problem, step_names};
use isol_sys::jail::{self, Found};
use isol_sys::process::Pid;

/// A name that no other run of this process, and no other process, gives.
pub(crate) fn own() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("isol-{}-{}", Pid::own(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Refuses a name that a jail has; notes one that a dying jail has, which the kernel gives away again.
pub(crate) fn check(name: &str, notes: &mut Vec<String>) -> Result<(), Problem> {
    let Ok(text) = CString::new(name) else { return Ok(()) };
    judge(name, jail::find(&text).ok(), notes)
}

fn judge(name: &str, found: Option<Found>, notes: &mut Vec<String>) -> Result<(), Problem> {
    match found {
        None => Ok(()),
        Some(Found { number, dying: true }) => {
            notes.push(format!(
                "a jail called {name}, number {number}, is still dying: something holds on to it, \
                 such as a connection that is not closed yet (jls -d)"
            ));
            Ok(())
        }
        Some(Found { number, dying: false }) => Err(Problem::new(
            step_names::JAIL,
            format!("can't call the jail {name}"),
            format!("jail {number} is called so"),
        )
        .help("another --name, or none; `jls -v` lists those that there are")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_refused_and_a_dying_jail_s_is_noted() {
        let judged = |found| {
            let mut notes = Vec::new();
            (judge("web", found, &mut notes).map_err(|p| p.to_string()), notes)
        };
        assert_eq!(judged(None), (Ok(()), vec![]));
        let (taken, _) = judged(Some(Found { number: 7, dying: false }));
        assert!(taken.unwrap_err().contains("jail 7 is called so"));
        let (dying, notes) = judged(Some(Found { number: 7, dying: true }));
        assert!(dying.is_ok() && notes[0].contains("still dying"), "{notes:?}");
    }

    #[test]
    fn no_two_runs_give_the_same_name() {
        assert_ne!(own(), own());
    }
}
