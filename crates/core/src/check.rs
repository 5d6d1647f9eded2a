//! The ordering rules that every plan of every backend keeps.

use crate::names::*;
use crate::{Guarantee, Os, Phase, Plan};

/// A rule that a plan breaks. Always a defect in a backend or the assembler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// A step of an earlier phase comes behind one of a later phase.
    #[error("step {step} of the {phase} phase comes too late")]
    Phase {
        /// The step.
        step: &'static str,
        /// Its phase.
        phase: Phase,
    },
    /// Two steps have one name.
    #[error("there are two steps called {0}")]
    Twice(&'static str),
    /// A step that no plan may lack.
    #[error("there is no step {0}")]
    Missing(&'static str),
    /// Two steps in the wrong order.
    #[error("step {first} must come before {second}: {why}")]
    Before {
        /// The one that must come first.
        first: &'static str,
        /// The one that must come behind it.
        second: &'static str,
        /// Why.
        why: &'static str,
    },
    /// A guarantee that the plan claims and no step establishes.
    #[error("no step establishes {0}")]
    Unfounded(Guarantee),
}

/// (first, second, why)
const BEFORE: &[(&str, &str, &str)] = &[
    (STANDARD_DESCRIPTORS, THROW_AWAY_ROOT, "a file opened earlier could land on 0, 1 or 2"),
    (STANDARD_DESCRIPTORS, ROOT_DIRECTORY, "a file opened earlier could land on 0, 1 or 2"),
    (ALLOT_UID, THROW_AWAY_ROOT, "the tree names its user"),
    (THROW_AWAY_ROOT, ROOT_DIRECTORY, "it is the directory"),
    (MOUNT_SOURCES, JAIL_MOUNTS, "it mounts what was looked at"),
    (ROOT_DIRECTORY, MOUNT_SOURCES, "the places to mount on are looked for in it"),
    (MOUNT_SOURCES, PROGRAM, "what is mounted may be executed, or hide what is"),
    (MOUNT_SOURCES, ROOT_CLEAN, "what is mounted is walked too"),
    (ROOT_DIRECTORY, PROGRAM, "the program is looked for in it"),
    (ROOT_DIRECTORY, DEDICATED_UID, "the hold on the uid notes the root down"),
    (ROOT_DIRECTORY, SYSLOG, "its socket is made in it"),
    (THROW_AWAY_ROOT, SYSLOG, "its socket is made in it"),
    (INTEGRITY_PROTECTION, PROGRAM, "no program of this system can be looked into"),
    (LIMITS, UID, "raising a limit takes privilege"),
    (SCHEDULING, UID, "lowering the nice value takes privilege"),
    (CHANGE_DIRECTORY, DESCRIPTORS, "the root is entered through its descriptor"),
    (DESCRIPTORS, CHROOT, "a directory left open walks out of the new root"),
    (CHANGE_DIRECTORY, CHROOT, "the checked directory has to become the root"),
    (ROOT_DIRECTORY, JAIL_MOUNTS, "it is the directory that is mounted"),
    (DEDICATED_UID, JAIL_MOUNTS, "the hold on the uid notes down the root that is mounted"),
    (JAIL_MOUNTS, JAIL, "the jail's directory is the one that is mounted"),
    (DESCRIPTORS, JAIL, "jail_attach(2) refuses a process with a directory open"),
    (JAIL, WORKING_DIRECTORY, "the working directory is one of the jail's"),
    (JAIL, GROUPS, "making a jail takes root"),
    (
        CHANGE_DIRECTORY,
        NAMESPACES,
        "a new mount namespace takes over the working directory, and no descriptor",
    ),
    (DESCRIPTORS, NAMESPACES, "a directory left open leads out of the namespace"),
    (LIMITS, NAMESPACES, "raising a limit takes privilege outside"),
    (SCHEDULING, NAMESPACES, "lowering the nice value takes privilege outside"),
    (NAMESPACES, MOUNTS, "they would be the host's"),
    (NAMESPACES, HOST_NAME, "it would be the host's"),
    (MOUNTS, WORKING_DIRECTORY, "the working directory is one of the new root's"),
    (MOUNTS, BOUNDING_SET, "mounting takes CAP_SYS_ADMIN"),
    (HOST_NAME, BOUNDING_SET, "setting it takes CAP_SYS_ADMIN"),
    (CHROOT, WORKING_DIRECTORY, "a working directory outside walks out of the new root"),
    (WORKING_DIRECTORY, BOUNDING_SET, "without CAP_SYS_CHROOT the root can't change"),
    (BOUNDING_SET, UID, "dropping it takes CAP_SETPCAP"),
    (SECUREBITS, UID, "locking them takes CAP_SETPCAP"),
    (GROUPS, GID, "FreeBSD's setgroups(2) changes the effective gid"),
    (GID, UID, "changing the gid takes privilege"),
    (UID, CAPABILITIES, "changing the uid takes a capability"),
    (UID, NO_NEW_PRIVILEGES, "some security modules refuse id changes behind it"),
    (NO_NEW_PRIVILEGES, UNCONFINED, "without it a filter takes CAP_SYS_ADMIN"),
    (UID, PARENT_DEATH_SIGNAL, "setuid(2) clears it"),
    (NO_NEW_PRIVILEGES, LANDLOCK, "without it, it takes CAP_SYS_ADMIN"),
    (NO_NEW_PRIVILEGES, SECCOMP, "without it, it takes CAP_SYS_ADMIN"),
    (LANDLOCK, SECCOMP, "what comes behind the filter has to pass it"),
];

const EVERYWHERE: &[&str] = &[
    STANDARD_DESCRIPTORS,
    SIGNALS,
    UMASK,
    LIMITS,
    SESSION,
    ENVIRONMENT,
    DESCRIPTORS,
    GROUPS,
    GID,
    UID,
    READ_BACK,
];
const WITH_CAPABILITIES: &[&str] = &[BOUNDING_SET, SECUREBITS, CAPABILITIES, NO_NEW_PRIVILEGES];

impl Plan {
    /// Checks the plan against the ordering rules.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self) -> Result<(), OrderError> {
        self.check_phases()?;
        let place = |name: &str| self.steps().position(|s| s.name() == name);
        let required = EVERYWHERE.iter().chain(match self.os() {
            Os::Linux => WITH_CAPABILITIES,
            _ => &[],
        });
        for &name in required {
            if place(name).is_none() {
                return Err(OrderError::Missing(name));
            }
        }
        for &(first, second, why) in BEFORE {
            if let (Some(a), Some(b)) = (place(first), place(second))
                && a > b
            {
                return Err(OrderError::Before { first, second, why });
            }
        }
        match self.guarantees().iter().find(|&g| !self.establishes(g)) {
            Some(unfounded) => Err(OrderError::Unfounded(unfounded)),
            None => Ok(()),
        }
    }

    fn check_phases(&self) -> Result<(), OrderError> {
        let mut latest = Phase::Prepare;
        let mut names = Vec::new();
        for step in self.steps() {
            if step.phase() < latest {
                return Err(OrderError::Phase { step: step.name(), phase: step.phase() });
            }
            latest = step.phase();
            if names.contains(&step.name()) {
                return Err(OrderError::Twice(step.name()));
            }
            names.push(step.name());
        }
        Ok(())
    }

    /// Whether some step establishes the guarantee.
    #[must_use]
    pub fn establishes(&self, guarantee: Guarantee) -> bool {
        self.steps().any(|s| s.establishes().contains(&guarantee))
    }
}
