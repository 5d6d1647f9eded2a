//! Options that are described to clap only where the words of the process could mean one of them.
//!
//! With those that most runs do without, describing and looking through options is a third of the instructions of a
//! launch.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// The options `T`, described unless all that a command is given stands in [`OFTEN`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Seldom<T>(pub(crate) T);

/// The commands that this is about, by their names.
const COMMANDS: [&str; 2] = ["run", "plan"];

/// The other options of theirs. One that is missing here costs time, and nothing else.
const OFTEN: [&str; 12] = [
    "--backend",
    "--root",
    "--user",
    "--env",
    "--network",
    "--seccomp",
    "--require",
    "--allow",
    "--json",
    "--timeout",
    "--verbose",
    "-v",
];

/// Whether nothing but those of [`OFTEN`] can be among these words of a process. A value that looks like another
/// option is taken for one.
fn only_often(mut words: impl Iterator<Item = OsString>) -> bool {
    let named = |word: &OsStr, names: &[&str]| names.iter().any(|&name| word == name);
    if !words.nth(1).is_some_and(|command| named(&command, &COMMANDS)) {
        return false;
    }
    let mut options = words.take_while(|word| word != "--");
    options.all(|word| {
        let name = word.as_bytes().split(|&byte| byte == b'=').next().unwrap_or_default();
        !name.starts_with(b"-") || named(OsStr::from_bytes(name), &OFTEN)
    })
}

fn none_is_named() -> bool {
    static IS: OnceLock<bool> = OnceLock::new();
    *IS.get_or_init(|| only_often(std::env::args_os()))
}

impl<T: Args + Default> Args for Seldom<T> {
    fn augment_args(command: Command) -> Command {
        if none_is_named() { command } else { T::augment_args(command) }
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command)
    }
}

impl<T: FromArgMatches + Default> FromArgMatches for Seldom<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        if none_is_named() { Ok(Self::default()) } else { T::from_arg_matches(matches).map(Self) }
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        if none_is_named() {
            Ok(Self::default())
        } else {
            T::from_arg_matches_mut(matches).map(Self)
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }

    fn update_from_arg_matches_mut(&mut self, matches: &mut ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches_mut(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::options::SeldomOptions;

    fn only(words: &[&str]) -> bool {
        only_often(words.iter().map(OsString::from))
    }

    #[test]
    fn what_needs_all_of_them_has_them() {
        for words in [
            &["isol"][..],
            &["isol", "help", "run"],
            &["isol", "completions", "bash"],
            &["isol", "run", "--help"],
            &["isol", "run", "-vh"],
            &["isol", "run", "--root", "/r", "--tmpfs=/x", "--", "true"],
            &["isol", "run", "--rooot", "/r", "--", "true"],
            &["isol", "run", "--root", "--profile", "--", "true"],
        ] {
            assert!(!only(words), "{words:?}");
        }
        for words in [
            &["isol", "run"][..],
            &["isol", "run", "--", "true", "--tmpfs"],
            &["isol", "plan", "--root=/r", "--user", "1", "--json", "--", "true"],
        ] {
            assert!(only(words), "{words:?}");
        }
    }

    #[test]
    fn none_of_them_stands_among_the_others() {
        let command = SeldomOptions::augment_args(Command::new("isol"));
        assert!(command.get_arguments().count() > 10);
        for argument in command.get_arguments() {
            let long = argument.get_long().map(|name| format!("--{name}"));
            let short = argument.get_short().map(|name| format!("-{name}"));
            let named =
                |name: &str| long.as_deref() == Some(name) || short.as_deref() == Some(name);
            assert!(!OFTEN.into_iter().any(named), "{argument}");
        }
    }
}
