//! Names as a person may safely read and paste them.
//!
//! File names are any bytes. A name with an escape sequence in it must not reach the terminal as one, and
//! a command that an error message suggests must work, and do nothing else, when it is pasted into a shell.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::os::unix::ffi::OsStrExt;

/// One word for a POSIX shell that means exactly `name`.
///
/// ```
/// use isol_sys::quote::shell;
/// assert_eq!(shell("/srv/www"), "/srv/www");
/// assert_eq!(shell("/srv/it's"), r"'/srv/it'\''s'");
/// assert_eq!(shell("a\nb"), r"$'a\012b'");
/// ```
pub fn shell(name: impl AsRef<OsStr>) -> String {
    let name = name.as_ref();
    let bytes = name.as_bytes();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(b);
    match name.to_str() {
        Some(text) if !bytes.is_empty() && bytes.iter().all(plain) => text.to_owned(),
        Some(text) if text.chars().all(|c| !unprintable(c)) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => format!("$'{}'", escape(bytes, true)),
    }
}

/// `name` for a message: as it is, but with what can't be printed written as an escape.
///
/// ```
/// use isol_sys::quote::shown;
/// assert_eq!(shown("/srv/www").to_string(), "/srv/www");
/// assert_eq!(shown("red\x1b[31m").to_string(), r"red\033[31m");
/// ```
pub fn shown<N: AsRef<OsStr> + ?Sized>(name: &N) -> Shown<'_> {
    Shown(name.as_ref())
}

/// See [`shown`].
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(&'a OsStr);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_str() {
            Some(text) if text.chars().all(|c| !unprintable(c)) => f.write_str(text),
            _ => f.write_str(&escape(self.0.as_bytes(), false)),
        }
    }
}

/// `name` so that no two names look the same: bytes that are no text, and what can't be printed, as `\\ooo` in octal, and a
/// backslash as two.
///
/// ```
/// use std::os::unix::ffi::OsStrExt;
/// use isol_sys::quote::escaped;
/// assert_eq!(escaped("/srv/é").to_string(), "/srv/é");
/// assert_eq!(escaped(std::ffi::OsStr::from_bytes(b"\xc3\xa9\xff")).to_string(), r"é\377");
/// assert_eq!(escaped(r"\377").to_string(), r"\\377");
/// ```
pub fn escaped<N: AsRef<OsStr> + ?Sized>(name: &N) -> Escaped<'_> {
    Escaped(name.as_ref())
}

/// See [`escaped`].
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(&'a OsStr);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\\' => f.write_str(r"\\")?,
                    c if unprintable(c) => f.write_str(&escape(c.to_string().as_bytes(), false))?,
                    c => f.write_char(c)?,
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\{byte:03o}"))?;
        }
        Ok(())
    }
}

/// Control characters, and the marks that turn the direction of the text round.
fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape(bytes: &[u8], for_shell: bool) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str(r"\\"),
            b'\'' if for_shell => text.push_str(r"\'"),
            b' '..=b'~' => text.push(char::from(byte)),
            // Writing to a String can't fail.
            _ => _ = write!(text, "\\{byte:03o}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn a_shell_reads_back_what_was_quoted() {
        let names: [&[u8]; 9] = [
            b"plain",
            b"",
            b"a b",
            b"it's",
            b"\xff\xfe",
            b"x\n'\\y",
            b"$(id)",
            "\u{202e}x".as_bytes(),
            "é".as_bytes(),
        ];
        for name in names {
            let command = format!("printf %s {}", shell(OsStr::from_bytes(name)));
            let out = std::process::Command::new("bash").arg("-c").arg(&command).output().unwrap();
            assert_eq!(out.stdout, name, "{command}");
        }
    }

    #[test]
    fn names_cannot_smuggle_escapes() {
        assert_eq!(shown(OsStr::from_bytes(b"\xff\x1b]0;x\x07")).to_string(), r"\377\033]0;x\007");
        assert!(!shown("\u{202e}gpj.exe").to_string().contains('\u{202e}'));
    }
}
