//! A panic is told, and ends isol, as every other failure of isol's does.

use std::panic::{PanicHookInfo, catch_unwind, set_hook};
use std::process::{ExitCode, exit};

use isol::{Kind, Problem};

use crate::output;

/// Runs the command. If it panics, what has been made is taken back while the stack is
/// unwound, where it is; where a panic aborts, that is left to the next run.
pub(crate) fn told(command: fn() -> ExitCode) -> ExitCode {
    set_hook(Box::new(tell));
    catch_unwind(command).unwrap_or_else(|_| ExitCode::from(Kind::Refused.exit_status()))
}

fn tell(panic: &PanicHookInfo<'_>) {
    let what = match panic.payload().downcast_ref::<String>() {
        Some(text) => text.as_str(),
        None => panic.payload().downcast_ref::<&str>().copied().unwrap_or("for no reason given"),
    };
    let place = panic.location().map(|at| format!(", at {at}")).unwrap_or_default();
    output::tell(false)(&Problem::new("internal error", what.trim().to_owned() + &place, ""));
    if cfg!(panic = "abort") {
        exit(Kind::Refused.exit_status().into());
    }
}
