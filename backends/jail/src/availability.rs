//! Whether a jail can be made here.

use isol_core::{Os, Unavailable};
use isol_sys::os::HOST;
use isol_sys::{ids, jail};

pub(crate) fn check() -> Result<(), Unavailable> {
    let cant = |reason: &str, help: &str| {
        Err(Unavailable { reason: reason.to_owned(), help: Some(help.to_owned()) })
    };
    if HOST != Os::FreeBsd {
        return cant(
            "jail(2) is FreeBSD's",
            "--backend auto takes one that can; `isol plan` prints the plan all the same",
        );
    }
    if ids::effective_uid() != 0 {
        return cant("jail_set(2) needs root", "run it as root");
    }
    match jail::children_left() {
        Some(left) if left <= 0 => cant(
            "this process is in a jail that may have no children",
            "jail -m name=NAME children.max=N   (on the host)",
        ),
        _ => Ok(()),
    }
}
