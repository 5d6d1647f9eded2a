//! What is wrong with a command line, in isol's own words and status.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use isol::Problem;

use crate::output;

/// Tells a parse error; `--help` and `--version` are none.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match output::print(error.render()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(125),
        };
    }
    // Where the command line can't be read, what it says of JSON can all the same.
    let json = std::env::args_os().take_while(|a| a != "--").any(|a| a == "--json");
    output::tell(json)(&problem(error));
    ExitCode::from(125)
}

fn problem(error: &clap::Error) -> Problem {
    let nothing = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if error.kind() == nothing || error.kind() == ErrorKind::MissingSubcommand {
        return Problem::new("usage", "no command is named", "").help("isol --help");
    }
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let what = first.strip_prefix("error: ").unwrap_or(first).split_whitespace();
    let problem = Problem::new("usage", what.collect::<Vec<_>>().join(" "), "");
    problem.help(suggestion(error).unwrap_or_else(|| format!("{} --help", command(&text))))
}

/// The command that was meant, by the usage that clap has shown: `isol root add`.
fn command(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.trim().strip_prefix("Usage: "));
    let words = usage.unwrap_or("isol").split_whitespace();
    let is_command = |word: &&str| {
        word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-')
    };
    words.take_while(is_command).collect::<Vec<_>>().join(" ")
}

fn suggestion(error: &clap::Error) -> Option<String> {
    let kinds =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let found = kinds.iter().find_map(|&kind| error.get(kind))?;
    let name = match found {
        ContextValue::String(name) => name,
        ContextValue::Strings(names) => names.first()?,
        _ => return None,
    };
    Some(format!("did you mean `{name}`?"))
}
