//! `isol completions` and `isol man`: what the definition of the command line says by itself.

use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use isol::Problem;

use crate::arguments::Arguments;
use crate::output;

const SOURCE: &str = concat!("isol ", env!("CARGO_PKG_VERSION"));

pub(crate) fn completions(shell: Shell) -> Result<ExitCode, Problem> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut shown(), "isol", &mut text);
    output::print(String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn manual(words: &[String]) -> Result<ExitCode, Problem> {
    let mut command = shown();
    command.build();
    let mut found = &command;
    for word in words {
        found = found
            .get_subcommands()
            .find(|command| command.get_name() == word)
            .ok_or_else(|| unknown(words))?;
    }
    let title = ["isol"].into_iter().chain(words.iter().map(String::as_str));
    let title = title.collect::<Vec<_>>().join("-");
    // The page is about the words as they are typed; its title joins them.
    let page = Man::new(found.clone()).title(title.to_uppercase()).section("8").source(SOURCE);
    let mut text = Vec::new();
    page.render(&mut text)
        .map_err(|error| Problem::io("man", "can't make the manual page", &error))?;
    output::print(String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}

/// The commands that are for people. clap hides the others from its help, and not from what completes words.
fn shown() -> Command {
    let all = Arguments::command();
    let shown = all.get_subcommands().filter(|command| !command.is_hide_set());
    Command::new("isol")
        .version(env!("CARGO_PKG_VERSION"))
        .about(all.get_about().cloned().unwrap_or_default())
        .subcommands(shown.cloned())
}

fn unknown(words: &[String]) -> Problem {
    let what = format!("isol has no command {:?}", words.join(" "));
    Problem::new("usage", what, "").help("isol --help")
}
