//! Systems and processors for which no filter is built in.

use isol_core::Errno;

use crate::errno::NOT_HERE;

pub(super) const CAN_BE_DENIED: bool = false;

#[derive(Debug)]
pub(super) struct Filter;

impl Filter {
    pub(super) fn new() -> Result<Self, Errno> {
        Err(NOT_HERE)
    }

    pub(super) fn install(&self) -> Result<(), Errno> {
        Err(NOT_HERE)
    }
}

pub(super) fn is_denied() -> bool {
    false
}
