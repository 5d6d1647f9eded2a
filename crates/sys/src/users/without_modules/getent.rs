//! The answer of getent(1).

use std::io;
use std::process::{Command, Stdio};

use isol_core::Errno;

use super::files::{self, Entry, Key};

/// Where it is: never looked for along a path that a caller has set.
const PROGRAMS: [&str; 2] = ["/usr/bin/getent", "/bin/getent"];
const NOT_FOUND: i32 = 2;
/// 'Package not installed': nobody is here who could say.
pub(super) const MISSING: Errno = Errno(libc::ENOPKG);

pub(super) fn look_up(database: &str, key: Key<'_>) -> Result<Option<Entry>, Errno> {
    for program in PROGRAMS {
        match ask(program, database, key) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            answer => return answer.map_err(|e| Errno(e.raw_os_error().unwrap_or(libc::EIO))),
        }
    }
    Err(MISSING)
}

fn ask(program: &str, database: &str, key: Key<'_>) -> io::Result<Option<Entry>> {
    let word = match key {
        // getent(1) would take it for a number, or there can be none.
        Key::Name(name) if is_no_name(name) => return Ok(None),
        Key::Name(name) => name.to_owned(),
        Key::Id(id) => id.to_string(),
    };
    let output = Command::new(program)
        .args([database, "--", &word])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    match output.status.code() {
        Some(0) => match files::find(&output.stdout, database, key) {
            Ok(Some(entry)) => Ok(Some(entry)),
            // Not what was asked for, or not to be understood.
            Ok(None) | Err(files::Unclear) => Err(io::Error::from_raw_os_error(libc::EBADMSG)),
        },
        Some(NOT_FOUND) => Ok(None),
        _ => Err(io::Error::from_raw_os_error(libc::EIO)),
    }
}

fn is_no_name(name: &str) -> bool {
    let digits = name.trim_start().trim_start_matches(['+', '-']);
    name.is_empty()
        || name.contains([':', '\n', '\0'])
        || digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn getent_knows_root_and_no_stranger() {
        let root = || Some(Entry { name: "root".into(), id: 0, gid: Some(0) });
        assert_eq!(look_up("passwd", Key::Name("root")), Ok(root()));
        assert_eq!(look_up("passwd", Key::Id(0)), Ok(root()));
        assert_eq!(look_up("group", Key::Id(0)).unwrap().unwrap().gid, None);
        for stranger in ["no-such-user-here", "-x", "0", "+0", "", "root:x"] {
            assert_eq!(look_up("passwd", Key::Name(stranger)), Ok(None), "{stranger}");
        }
        assert_eq!(look_up("passwd", Key::Id(4_000_000_001)), Ok(None));
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn where_there_is_no_getent_nobody_is_unknown() {
        let missing = ask("/no/such/getent", "passwd", Key::Name("root")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let failing = ask("/bin/false", "passwd", Key::Name("root")).unwrap_err();
        assert_eq!(failing.raw_os_error(), Some(libc::EIO));
        let silent = ask("/bin/true", "passwd", Key::Name("root")).unwrap_err();
        assert_eq!(silent.raw_os_error(), Some(libc::EBADMSG));
    }
}
