//! Systems on which isol can't see what a program opens.

use std::io;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use nix::errno::Errno;

use super::Opened;

pub(super) const AVAILABLE: bool = false;

pub(super) fn watch(
    _command: &mut Command,
    _limit: Option<Duration>,
    _seen: &mut dyn FnMut(Opened),
) -> io::Result<ExitStatus> {
    Err(Errno::ENOTSUP.into())
}
