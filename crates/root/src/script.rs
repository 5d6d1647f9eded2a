//! The first line of a script, read as the kernel reads it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// How much of a file the kernel looks at (`BINPRM_BUF_SIZE`).
pub(crate) const HEAD: usize = 256;

/// What follows `#!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shebang {
    pub(crate) interpreter: PathBuf,
    /// All that follows it, as one argument.
    pub(crate) argument: Option<OsString>,
}

impl Shebang {
    /// `None` if the line names no interpreter: the kernel then says ENOEXEC.
    ///
    /// # References
    /// execve(2)
    pub(crate) fn parse(head: &[u8]) -> Option<Self> {
        let head = &head[..head.len().min(HEAD)];
        let line = head.strip_prefix(b"#!")?;
        let (line, whole) = match line.iter().position(|&b| b == b'\n') {
            Some(end) => (&line[..end], true),
            None => (line, head.len() < HEAD),
        };
        let line = trim(line);
        let end = line.iter().position(|b| matches!(b, b' ' | b'\t' | 0));
        // A name that runs out of what the kernel reads may be cut short.
        let name = match end {
            Some(end) => &line[..end],
            None if whole => line,
            None => return None,
        };
        if name.is_empty() {
            return None;
        }
        let rest = end.map_or(&b""[..], |end| trim(&line[end..]));
        let rest = rest.split(|&b| b == 0).next().unwrap_or_default();
        Some(Self {
            interpreter: PathBuf::from(OsStr::from_bytes(name)),
            argument: (!rest.is_empty()).then(|| OsStr::from_bytes(rest).to_owned()),
        })
    }

    /// The program that env(1) will look for, if the interpreter is env.
    pub(crate) fn env_program(&self) -> Option<OsString> {
        if self.interpreter.file_name()? != "env" {
            return None;
        }
        let argument = self.argument.as_ref()?.as_bytes();
        let split = [&b"-S"[..], b"--split-string=", b"-vS", b"-iS"]
            .iter()
            .find_map(|flag| argument.strip_prefix(*flag));
        let Some(split) = split else {
            // Without -S all of it is one word: the name, or an option that leaves no name.
            return (!argument.starts_with(b"-")).then(|| OsStr::from_bytes(argument).to_owned());
        };
        let mut words = split.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            match word {
                b"-u" | b"--unset" | b"-C" | b"--chdir" => _ = words.next(),
                _ if word.starts_with(b"-") || word.contains(&b'=') => {}
                _ => return Some(OsStr::from_bytes(unquote(word)).to_owned()),
            }
        }
        None
    }
}

fn trim(line: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = line.iter().position(|b| !blank(b)).unwrap_or(line.len());
    let end = line.iter().rposition(|b| !blank(b)).map_or(start, |last| last + 1);
    &line[start..end]
}

fn unquote(word: &[u8]) -> &[u8] {
    match word {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> (String, Option<String>) {
        let shebang = Shebang::parse(line.as_bytes()).unwrap();
        let text = |s: &OsStr| s.to_str().unwrap().to_owned();
        (text(shebang.interpreter.as_os_str()), shebang.argument.as_deref().map(text))
    }

    #[test]
    fn lines_are_split_once() {
        assert_eq!(parsed("#!/bin/sh"), ("/bin/sh".into(), None));
        assert_eq!(parsed("#! \t/bin/sh -e -x \nrest"), ("/bin/sh".into(), Some("-e -x".into())));
        assert_eq!(parsed("#!/bin/sh\r\n"), ("/bin/sh\r".into(), None));
        assert_eq!(parsed("#!/bin/sh a\0b\n"), ("/bin/sh".into(), Some("a".into())));
    }

    #[test]
    fn lines_that_name_nothing() {
        for line in ["", "#", "#!", "#!\n/bin/sh", "#!  \t\n", "/bin/sh", "#!\0\n"] {
            assert_eq!(Shebang::parse(line.as_bytes()), None, "{line:?}");
        }
        let long = format!("#!/{}", "x".repeat(HEAD));
        assert_eq!(Shebang::parse(long.as_bytes()), None);
        let argument_cut = format!("#!/bin/sh {}", "x".repeat(HEAD));
        assert!(Shebang::parse(argument_cut.as_bytes()).is_some());
    }

    #[test]
    fn env_names_the_program() {
        let program = |line: &str| Shebang::parse(line.as_bytes()).unwrap().env_program();
        assert_eq!(program("#!/usr/bin/env python3"), Some("python3".into()));
        assert_eq!(program("#!/usr/bin/env -S python3 -u"), Some("python3".into()));
        assert_eq!(program("#!/usr/bin/env -S -i -u X A=b \"perl\" -w"), Some("perl".into()));
        assert_eq!(program("#!/usr/bin/env -Sperl -w"), Some("perl".into()));
        assert_eq!(program("#!/usr/bin/env python3 -u"), Some("python3 -u".into()));
        assert_eq!(program("#!/usr/bin/env -i"), None);
        assert_eq!(program("#!/bin/sh python3"), None);
    }
}
