//! The time zone as a rule that needs no file.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use isol_core::Problem;

const DEFAULT: &str = "/etc/localtime";
const DIRECTORIES: [&str; 2] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo"];

/// What `TZ` says or, without it, the host's default.
pub(super) fn rule() -> Result<OsString, Problem> {
    match std::env::var("TZ") {
        Ok(zone) if !zone.is_empty() => {
            let zone = zone.strip_prefix(':').unwrap_or(&zone);
            match DIRECTORIES.iter().map(|dir| Path::new(dir).join(zone)).find(|f| f.is_file()) {
                Some(file) => of_file(&file),
                // A rule already.
                None => Ok(zone.into()),
            }
        }
        Ok(_) => Ok("UTC0".into()),
        Err(_) => match of_file(Path::new(DEFAULT)) {
            Err(problem) if problem.errno == Some(isol_sys::errno::NO_ENTRY) => Ok("UTC0".into()),
            other => other,
        },
    }
}

fn of_file(path: &Path) -> Result<OsString, Problem> {
    let cant = |error: io::Error| {
        Problem::io(super::STEP, format!("can't read the time zone {}", path.display()), &error)
    };
    let bytes = std::fs::read(path).map_err(cant)?;
    footer(&bytes).map(OsString::from).ok_or_else(|| no_rule(path.to_owned()))
}

fn no_rule(path: PathBuf) -> Problem {
    let what = format!("{} has no rule for the time to come", path.display());
    Problem::new(super::STEP, what, "it is no TZif file of version 2 or later")
        .help("set TZ to a rule, such as CET-1CEST,M3.5.0,M10.5.0/3")
}

/// The rule at the end of a TZif file: between its last two line ends (RFC 9636).
fn footer(bytes: &[u8]) -> Option<&str> {
    let versioned = bytes.starts_with(b"TZif") && *bytes.get(4)? >= b'2';
    let rest = bytes.strip_suffix(b"\n").filter(|_| versioned)?;
    let start = rest.iter().rposition(|&byte| byte == b'\n')?;
    std::str::from_utf8(&rest[start + 1..]).ok().filter(|rule| !rule.is_empty())
}

#[cfg(test)]
mod tests {
    use super::footer;

    #[test]
    fn the_rule_stands_at_the_end() {
        assert_eq!(
            footer(b"TZif2....\nCET-1CEST,M3.5.0,M10.5.0/3\n"),
            Some("CET-1CEST,M3.5.0,M10.5.0/3")
        );
        assert_eq!(footer(b"TZif3....\n<+0330>-3:30\n"), Some("<+0330>-3:30"));
        for none in [&b"TZif2...\n\n"[..], b"TZif\0...\nUTC0\n", b"text\nUTC0\n", b"TZif2", b""] {
            assert_eq!(footer(none), None);
        }
    }
}
