//! macOS: the way up from the working directory. getcwd(3) would not do: of a directory
//! outside of the root it tells the path on the host, without an error, and it is not
//! among the functions that sigaction(2) names as safe in a child.

use std::ffi::CStr;

use isol_core::Errno;

use super::ascent;

pub(super) fn working_directory_is_inside() -> Result<bool, Errno> {
    ascent::meets(super::identity(c"/")?, |path: &CStr| super::identity(path))
}

pub(super) fn may_change_root() -> bool {
    crate::ids::effective_uid() == 0
}
