//! A `run` with the options that most runs need, and no others: only these are described to clap.
//!
//! Describing and searching all options and commands is a third of the instructions of a launch. Whatever a shorter
//! description can't read is read, or refused, by the whole one.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::{Args, CommandFactory, FromArgMatches};

use super::options::{Often, Options, Seldom};
use super::{Arguments, Command, How, Later, Program, Run};

/// The name of the command that this is about.
const RUN: &str = "run";

impl Arguments {
    /// What the words of this process say.
    pub(crate) fn of_process() -> Result<Self, clap::Error> {
        let words: Vec<OsString> = std::env::args_os().collect();
        Self::of_few(&words).map_or_else(|| Self::of_all(&words), Ok)
    }

    fn of_all(words: &[OsString]) -> Result<Self, clap::Error> {
        let (mut matches, mut command) = parse(Self::command(), words)?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    }

    fn of_few(words: &[OsString]) -> Option<Self> {
        let words = words.get(1..).filter(|words| words.first().is_some_and(|word| word == RUN))?;
        let command = Often::augment_args(clap::Command::new(RUN));
        let command = Program::augment_args(How::augment_args(command));
        let mut matches = parse(command, words).ok()?.0;
        let options = Options {
            often: Often::from_arg_matches_mut(&mut matches).ok()?,
            seldom: Seldom::default(),
        };
        let how = How::from_arg_matches_mut(&mut matches).ok()?;
        let program = Program::from_arg_matches_mut(&mut matches).ok()?;
        Some(Self { command: Command::Run(Later(Run { options, how, program })) })
    }
}

/// Taking the description apart again is left out: the process ends before that is of use to anyone.
fn parse(
    command: clap::Command,
    words: &[OsString],
) -> Result<(clap::ArgMatches, ManuallyDrop<clap::Command>), clap::Error> {
    let mut command = ManuallyDrop::new(command);
    command.try_get_matches_from_mut(words).map(|matches| (matches, command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(|word| if word == "''" { "" } else { word }.into()).collect()
    }

    #[test]
    fn what_the_shorter_description_reads_the_whole_one_reads_alike() {
        for line in [
            "isol run -- true",
            "isol run --root /r --user 5:6 --allow shared-uid,terminal --allow scheduling -- /bin/true --bind -v",
            "isol run --root=/r --backend=chroot --env A=B --env C= --json --seccomp default+keys -v -- x",
            "isol run --network none --require pids-hidden --timeout 1.5 --verbose --user '' -- '' ''",
        ] {
            let words = words(line);
            let (few, all) = (Arguments::of_few(&words), Arguments::of_all(&words));
            assert_eq!(format!("{:?}", few.expect(line)), format!("{:?}", all.expect(line)));
        }
    }

    #[test]
    fn all_else_is_left_to_the_whole_one() {
        for line in [
            "isol",
            "isol plan -- true",
            "isol run",
            "isol run --help",
            "isol run -h -- true",
            "isol run --version -- true",
            "isol run true",
            "isol run --root /r --root /s -- true",
            "isol run --root -- true",
            "isol run --root --user 5 -- true",
            "isol run --json=yes -- true",
            "isol run --timeout never -- true",
            "isol run --tmpfs /x --root /r -- true",
            "isol run --roo /r -- true",
            "isol help run",
        ] {
            assert!(Arguments::of_few(&words(line)).is_none(), "{line}");
        }
    }
}
