//! Whether chroot(2) can be called here.

use isol_core::Unavailable;

pub(crate) fn check() -> Result<(), Unavailable> {
    if isol_sys::chroot::may_change_root() {
        return Ok(());
    }
    Err(Unavailable {
        reason: "chroot(2), setgroups(2) and setuid(2) need root (on Linux CAP_SYS_CHROOT, CAP_SETGID, CAP_SETUID and CAP_SETPCAP)".into(),
        help: Some("run it as root".into()),
    })
}
