//! Whether namespaces can be made here.

use isol_core::{Os, Unavailable};
use isol_sys::namespaces::{self, Denied};
use isol_sys::os::HOST;

/// The first kernel that has every call: mount_setattr(2) came last.
pub(crate) const NEEDED: (u32, u32) = (5, 12);

pub(crate) fn check() -> Result<(), Unavailable> {
    let cant =
        |reason: String, help: &str| Err(Unavailable { reason, help: Some(help.to_owned()) });
    if HOST != Os::Linux {
        return cant(
            "namespaces are Linux's".into(),
            "--backend auto takes one that can; `isol plan` prints the plan all the same",
        );
    }
    match namespaces::kernel() {
        Some(found) if found < NEEDED => {
            let ((major, minor), (needed, least)) = (found, NEEDED);
            return cant(
                format!(
                    "this kernel is {major}.{minor}, and {needed}.{least} is the first one with mount_setattr(2)"
                ),
                "--backend chroot",
            );
        }
        _ => {}
    }
    if !as_caller() {
        if namespaces::may_be_made() {
            return Ok(());
        }
        return cant(
            "this process lacks CAP_SYS_ADMIN, which namespaces and mounts take: a container, for instance, leaves it out".into(),
            "give the container that capability: --cap-add SYS_ADMIN",
        );
    }
    namespaces::try_user().map_err(|denied| {
        let (why, help) = match &denied {
            Denied::Making(error) => crate::denied::making(error),
            Denied::Privileges(error) => crate::denied::privileges(error),
        };
        Unavailable { reason: why, help: Some(help) }
    })
}

/// Whether whoever calls is an ordinary user, here.
pub(crate) fn as_caller() -> bool {
    HOST == Os::Linux && !isol_sys::chroot::may_change_root()
}
