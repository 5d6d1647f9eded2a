//! What is printed, and where.

use std::fmt::Display;
use std::io::{self, Write};

use isol::Problem;
use serde::Serialize;

/// How errors are told.
pub(crate) fn tell(json: bool) -> fn(&Problem) {
    if json { tell_json } else { tell_text }
}

// Standard error may be closed or full: then there is nobody left to tell.

fn tell_text(problem: &Problem) {
    let help = problem.help.as_ref().map(|help| format!("help: {help}\n")).unwrap_or_default();
    let _ = io::stderr().write_all(format!("isol: {problem}\n{help}").as_bytes());
}

fn tell_json(problem: &Problem) {
    let error = serde_json::json!({ "error": problem });
    let _ = io::stderr().write_all(format!("{error}\n").as_bytes());
}

/// Says something beside the point on standard error.
pub(crate) fn remark(what: impl Display) {
    let _ = io::stderr().write_all(format!("isol: {what}\n").as_bytes());
}

/// Prints a result on standard output.
pub(crate) fn print(text: impl Display) -> Result<(), Problem> {
    let mut to = io::stdout().lock();
    written(write!(to, "{text}").and_then(|()| to.flush()))
}

/// Whoever reads may have seen enough, as `head` has: that is no failure of isol's, and ends it as SIGPIPE would.
fn written(result: io::Result<()>) -> Result<(), Problem> {
    const AS_BY_SIGPIPE: i32 = 128 + 13;
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => std::process::exit(AS_BY_SIGPIPE),
        _ => Problem::io("output", "can't write to standard output", &error),
    })
}

/// Prints a result that has colours in it, where there is a terminal to show them.
pub(crate) fn print_styled(text: impl Display) -> Result<(), Problem> {
    let mut to = anstream::stdout().lock();
    written(write!(to, "{text}").and_then(|()| to.flush()))
}

/// Prints a result as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Problem::new("output", "can't write JSON", error.to_string()))?;
    print(text + "\n")
}
