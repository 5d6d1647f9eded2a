//! The steps that look into root trees, and the one that makes one.

mod known;
mod mounted;
mod program;
mod root_clean;
mod throw_away;
mod unread_program;

use isol_core::{Allow, Guarantee, Mode, Os, PlanError, Request, Root};
use isol_steps::Preparations;
use isol_sys::state::{Lock, StateDir};

use known::Known;
use program::ProgramInRoot;
use root_clean::RootClean;
use throw_away::ThrowAwayRoot;
use unread_program::UnreadProgram;

/// `as_caller` says whether the program runs as the ordinary user who calls, whose own files will do.
pub(crate) fn preparations(
    request: &Request<'_>,
    as_caller: bool,
) -> Result<Preparations, PlanError> {
    let mut preparations = Preparations::default();
    let known = Known::default();
    // What programs of this system load stands in files of a format that isol does not read.
    let unread = request.os == Os::MacOs;
    if let Root::ThrowAway { add } = &request.policy.root {
        if unread {
            return Err(PlanError::CantHonour {
                backend: "isol",
                what: "a throw-away root".into(),
                reason: format!(
                    "the libraries of {} are no files: they can't be copied into a root",
                    request.os
                ),
                help: Some(
                    "name a root that the program locks itself into: Isolation::enter() of the library"
                        .into(),
                ),
            });
        }
        if request.mode != Mode::Spawn {
            return Err(PlanError::CantHonour {
                backend: "isol",
                what: "a throw-away root".into(),
                reason: format!(
                    "somebody has to outlive the program to remove it, and the mode is {}",
                    request.mode
                ),
                help: Some("name a root, or spawn the program".into()),
            });
        }
        let maker = ThrowAwayRoot::new(add.clone(), request.policy, as_caller, known.clone());
        preparations.before_root.push(Box::new(maker));
    }
    if request.mode != Mode::Enter && unread {
        let allowed = request.policy.allow.contains(Allow::UncheckedProgram);
        preparations.in_root.push(Box::new(UnreadProgram { allowed }));
    } else if request.mode != Mode::Enter {
        preparations.in_root.push(Box::new(ProgramInRoot { as_caller, known }));
    }
    // What is bound was made by somebody else.
    let by_construction =
        matches!(request.policy.root, Root::ThrowAway { .. }) && request.policy.binds.is_empty();
    if request.policy.require.contains(Guarantee::RootClean) && !by_construction {
        preparations.in_root.push(Box::new(RootClean));
    }
    Ok(preparations)
}

/// Removes what dead runs have left; `each_other` sees to the locks that are not of roots. Whether there was anything of
/// any run, or that can't be told.
pub(crate) fn sweep_roots(mut each_other: impl FnMut(&Lock) -> bool) -> bool {
    let mut found = false;
    for state in StateDir::existing() {
        // What can't be removed now is tried again by the next run.
        found |= isol_root::sweep(&state, &mut each_other).map_or(true, |swept| swept.found);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use isol_core::{Command, Gid, Identity, Ids, Policy, Uid};

    fn on_macos(policy: &Policy, mode: Mode) -> Result<Vec<String>, PlanError> {
        let [uid, gid] = [70_000; 2];
        let ids = Ids::new(Uid::new(uid).unwrap(), Gid::new(gid).unwrap(), Vec::new());
        let command = Command::new("/bin/x");
        let request = Request {
            policy,
            identity: &Identity::Fixed(ids),
            mode,
            command: Some(&command),
            os: Os::MacOs,
        };
        let found = preparations(&request, false)?;
        Ok(found
            .in_root
            .iter()
            .map(|step| format!("{}: {}", step.name(), step.explains()))
            .collect())
    }

    #[test]
    fn on_macos_there_is_no_throw_away_root_in_any_mode() {
        let policy = Policy::throw_away([]).user(isol_core::User::Auto).build().unwrap();
        for mode in [Mode::Enter, Mode::Exec, Mode::Spawn] {
            let problem = on_macos(&policy, mode).unwrap_err().problem();
            assert!(problem.why.contains("macOS"), "{problem}");
            assert!(problem.help.unwrap().contains("enter()"));
        }
    }

    #[test]
    fn on_macos_a_program_is_unread_and_a_process_that_locks_itself_in_has_none() {
        let user = isol_core::User::Id(Uid::new(70_000).unwrap());
        let policy = Policy::confine("/srv/x").user(user).build().unwrap();
        assert_eq!(on_macos(&policy, Mode::Enter), Ok(vec![]));
        let steps = on_macos(&policy, Mode::Spawn).unwrap();
        assert!(matches!(&steps[..], [step] if step.starts_with("program: refuse")), "{steps:?}");
    }
}
