//! What stands in nsswitch.conf(5), passwd(5) and group(5).

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'a> {
    Name(&'a str),
    Id(u32),
}

/// A user or a group.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) id: u32,
    /// A user's primary group.
    pub(super) gid: Option<u32>,
}

/// Who is asked first.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum First {
    /// The local files, whose answer is final.
    Files(Behind),
    /// Somebody else, or it is not clear.
    Another,
}

/// Who is asked for what is not in the local files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    Nobody,
    /// systemd's module, and nobody behind it.
    Systemd,
    Others,
}

/// An entry that glibc may read in another way than we do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclear;

/// Who is asked first for a database. Only the plain form is understood: `files`, and behind it
/// no `[action]`, which could make another's answer count.
pub(super) fn first_source(switch: &[u8], database: &str) -> First {
    let text = String::from_utf8_lossy(switch);
    let mut lines = text.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default().trim();
        line.split_once(':').filter(|(name, _)| name.trim() == database).map(|(_, rest)| rest)
    });
    let (Some(sources), None) = (lines.next(), lines.next()) else { return First::Another };
    let sources: Vec<_> = sources.split_whitespace().collect();
    match sources.as_slice() {
        ["files"] => First::Files(Behind::Nobody),
        ["files", "systemd"] => First::Files(Behind::Systemd),
        ["files", next, ..] if !next.starts_with('[') => First::Files(Behind::Others),
        _ => First::Another,
    }
}

/// Looks for an entry in passwd(5) or group(5).
///
/// A line that may be meant and is not of the plain form is [`Unclear`], and so is one of the
/// old compatibility mode (`+`, `-`).
pub(super) fn find(text: &[u8], database: &str, key: Key<'_>) -> Result<Option<Entry>, Unclear> {
    let fields = if database == "passwd" { 7 } else { 4 };
    for line in text.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        match line[0] {
            b'#' => continue,
            b'+' | b'-' | b' ' | b'\t' => return Err(Unclear),
            _ => {}
        }
        let parts: Vec<&[u8]> = line.splitn(fields, |&b| b == b':').collect();
        let id = parts.get(2).copied().and_then(number);
        let meant = match key {
            Key::Name(name) => parts[0] == name.as_bytes(),
            // One whose number can't be read could be the one.
            Key::Id(wanted) => id.is_none_or(|id| id == wanted),
        };
        if meant {
            return entry(&parts, fields, id).map(Some).ok_or(Unclear);
        }
    }
    Ok(None)
}

fn entry(parts: &[&[u8]], fields: usize, id: Option<u32>) -> Option<Entry> {
    let name = std::str::from_utf8(parts[0]).ok().filter(|name| !name.is_empty())?.to_owned();
    let gid = if fields == 7 { Some(number(parts.get(3)?)?) } else { None };
    (parts.len() == fields).then_some(Entry { name, id: id?, gid })
}

/// Decimal digits and nothing else.
fn number(digits: &[u8]) -> Option<u32> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] =
        b"root:x:0:0:root:/root:/bin/bash\n# a remark\n\nwww:x:33:34:w:/:/bin/sh\n\
        again:x:33:35::/:/bin/sh\nodd:x:0x21:7::/:\nlast:x:99:98::/:";

    fn user(key: Key<'_>) -> Result<Option<Entry>, Unclear> {
        find(PASSWD, "passwd", key)
    }

    #[test]
    fn the_first_entry_counts() {
        let www = Entry { name: "www".into(), id: 33, gid: Some(34) };
        assert_eq!(user(Key::Name("www")), Ok(Some(www)));
        assert_eq!(user(Key::Id(33)).unwrap().unwrap().name, "www");
        assert_eq!(user(Key::Name("last")).unwrap().unwrap().id, 99);
        assert_eq!(user(Key::Name("ww")), Ok(None));
        assert_eq!(user(Key::Name("")), Ok(None));
    }

    #[test]
    fn what_glibc_may_read_differently_is_not_decided_here() {
        assert_eq!(user(Key::Name("odd")), Err(Unclear));
        // Behind an entry whose number is none, another one with this number may be the second.
        assert_eq!(user(Key::Id(99)), Err(Unclear));
        for text in ["+::::::\nu:x:1:1::/:/", " u:x:1:1::/:/", "u:x:1:1::/", "u:x:1:-1::/:/"] {
            assert_eq!(find(text.as_bytes(), "passwd", Key::Name("u")), Err(Unclear), "{text}");
        }
    }

    #[test]
    fn a_group_is_found_by_name_and_number() {
        let text = b"root:x:0:\nadm:x:4:a,b\n";
        let adm = || Some(Entry { name: "adm".into(), id: 4, gid: None });
        assert_eq!(find(text, "group", Key::Name("adm")), Ok(adm()));
        assert_eq!(find(text, "group", Key::Id(4)), Ok(adm()));
        assert_eq!(find(text, "group", Key::Id(5)), Ok(None));
    }

    #[test]
    fn only_plain_files_first_is_understood() {
        let first = |line: &str| first_source(line.as_bytes(), "passwd");
        assert_eq!(first("passwd: files"), First::Files(Behind::Nobody));
        assert_eq!(first("passwd:\tfiles systemd # x"), First::Files(Behind::Systemd));
        for others in ["files systemd sss", "files systemd [NOTFOUND=return]", "files ldap"] {
            assert_eq!(first(&format!("passwd: {others}")), First::Files(Behind::Others));
        }
        for other in [
            "",
            "group: files",
            "passwd: compat",
            "passwd: sss files",
            "passwd: files [SUCCESS=merge] sss",
            "passwd: files\npasswd: sss",
            "# passwd: files",
        ] {
            assert_eq!(first(other), First::Another, "{other}");
        }
    }
}
