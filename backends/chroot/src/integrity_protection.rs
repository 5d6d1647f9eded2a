//! On macOS: whether a program can be executed in the root at all, before anything changes.

use std::os::fd::AsFd;

use isol_core::{Guarantee, Kind, Phase, PrepareError, Problem, Scene, Step, step_names};
use isol_sys::integrity::{Protection, protection};
use isol_sys::meta::Meta;

const NAME: &str = step_names::INTEGRITY_PROTECTION;
const LOADER: &str = "usr/lib/dyld";

/// Refuses a program that would be ended by its loader.
#[derive(Debug)]
pub(crate) struct IntegrityProtection;

impl Step for IntegrityProtection {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::Prepare
    }

    fn explains(&self) -> String {
        "refuse, where System Integrity Protection is on: no program can be executed in a chroot then".into()
    }

    fn calls(&self) -> &'static [&'static str] {
        &["csr_check", "fstatat"]
    }

    fn establishes(&self) -> &'static [Guarantee] {
        &[]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let root = scene.root.as_ref().ok_or_else(|| Problem::new(NAME, "no root is open", ""))?;
        let has_loader = || Meta::at(root.fd.as_fd(), LOADER).is_ok();
        Ok(judge(protection(), has_loader)?)
    }
}

fn judge(protection: Protection, has_loader: impl FnOnce() -> bool) -> Result<(), Problem> {
    let refused = |why: String| {
        Err(Problem::new(NAME, "no program can be executed in a chroot here", why).help(
            "let the program lock itself in: Isolation::enter() of the library executes nothing",
        ))
    };
    match protection {
        Protection::On => refused(
            "System Integrity Protection is on, and then the kernel maps the system's libraries \
             into no program whose root is another; there are no static programs"
                .into(),
        ),
        Protection::Unknown(errno) => refused(format!(
            "whether System Integrity Protection is on could not be found out ({}); with it on, \
             the program's loader would end it",
            errno.message()
        )),
        Protection::Off if !has_loader() => Err(Problem::new(
            NAME,
            "nothing in the root can be executed",
            "the loader of every program, /usr/lib/dyld, is not in it",
        )
        .kind(Kind::NotFound)),
        Protection::Off => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isol_core::Errno;

    #[test]
    fn with_the_protection_on_or_unknown_nothing_is_executed_whatever_the_root_has() {
        for protection in [Protection::On, Protection::Unknown(Errno(78))] {
            let problem = judge(protection, || true).unwrap_err();
            assert_eq!(problem.kind.exit_status(), 125);
            assert!(problem.why.contains("System Integrity Protection"), "{problem}");
            assert!(problem.help.unwrap().contains("enter()"));
        }
    }

    #[test]
    fn without_it_the_root_must_have_the_loader() {
        let problem = judge(Protection::Off, || false).unwrap_err();
        assert_eq!(problem.kind.exit_status(), 127);
        assert!(problem.why.contains("/usr/lib/dyld"), "{problem}");
        assert_eq!(judge(Protection::Off, || true), Ok(()));
    }
}
