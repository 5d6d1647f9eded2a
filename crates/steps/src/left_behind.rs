//! What a program leaves under an allotted uid that is no process: the next one that is given the uid would own it.

use std::io;
use std::path::Path;

use isol_core::Uid;
use isol_sys::sysv;

/// Whether IPC objects belong to a uid.
pub(crate) fn any(uid: Uid) -> io::Result<bool> {
    Ok(!system_v(uid)?.is_empty() || isol_sys::mqueue::any_of(uid)?)
}

/// Removes the IPC objects of an allotted uid, unless systemd has given it away meanwhile.
pub(crate) fn remove(uid: Uid) -> io::Result<()> {
    if is_systemds(uid) {
        return Ok(());
    }
    system_v(uid)?.into_iter().try_for_each(sysv::remove)?;
    isol_sys::mqueue::remove_of(uid)
}

/// Whether it is a service's, by `DynamicUser=`.
pub(crate) fn is_systemds(uid: Uid) -> bool {
    Path::new(&format!("/run/systemd/dynamic-uid/{uid}")).exists()
}

/// None where the kernel has no such objects, or, on macOS, does not list them.
fn system_v(uid: Uid) -> io::Result<Vec<sysv::Object>> {
    match sysv::of_user(uid) {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported) =>
        {
            Ok(Vec::new())
        }
        listed => listed,
    }
}
