//! Ids that an administrator has given an ordinary user for his user namespaces, and the programs that may use them.
//!
//! What stands in `/etc/subuid` and `/etc/subgid` is read to know what can be asked for; whether it is granted, the
//! programs decide, which read it themselves.

// Only Linux has maps to write.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod helpers;

use std::fs;
use std::io;
use std::path::Path;

use isol_core::Uid;

pub use helpers::{Helper, HelperError, Helpers, MapError};

/// The file with the uids.
pub const UIDS: &str = "/etc/subuid";
/// The file with the gids.
pub const GIDS: &str = "/etc/subgid";

/// So many ids in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The first one.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// The rows that one of the files gives a user, in their order. A row with root's id in it is none: it would make uid 0
/// inside root outside. A file that is missing gives nothing.
///
/// # Errors
/// The file can't be read.
///
/// # References
/// subuid(5), subgid(5)
pub fn given(file: &str, user: Uid, name: Option<&str>) -> io::Result<Vec<Row>> {
    match fs::read_to_string(Path::new(file)) {
        Ok(text) => Ok(rows(&text, user, name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn rows(text: &str, user: Uid, name: Option<&str>) -> Vec<Row> {
    let number = user.to_string();
    let is_his = |who: &str| who == number || Some(who) == name;
    text.lines().filter_map(entry).filter(|(who, _)| is_his(who)).map(|(_, row)| row).collect()
}

/// The first id behind all that are given to anybody, for an advice.
#[must_use]
pub fn first_free() -> u32 {
    let files = [UIDS, GIDS].map(|file| fs::read_to_string(file).unwrap_or_default());
    let ends = files.iter().flat_map(|text| text.lines().filter_map(entry));
    ends.map(|(_, row)| row.first + row.count).max().unwrap_or(0).max(100_000)
}

/// `www:100000:65536`, by the user's name or number.
fn entry(line: &str) -> Option<(&str, Row)> {
    let mut fields = line.trim().split(':');
    let (who, first, count) = (fields.next()?, fields.next()?, fields.next()?);
    let row = Row { first: first.parse().ok()?, count: count.parse().ok()? };
    let end = row.first.checked_add(row.count)?;
    let is_one = !who.is_empty() && fields.next().is_none() && row.count > 0;
    (is_one && row.first > 0 && end < u32::MAX).then_some((who, row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_what_stands_behind_his_name_or_number() {
        let text = "www:100000:65536\n1000:200000:10\nwwww:5:5\n\nwww:300000:1\n";
        let user = Uid::new(1000).unwrap();
        let found: Vec<_> =
            rows(text, user, Some("www")).iter().map(|row| (row.first, row.count)).collect();
        assert_eq!(found, [(100_000, 65_536), (200_000, 10), (300_000, 1)]);
        assert_eq!(rows(text, user, None).len(), 1);
        assert_eq!(rows(text, Uid::new(100).unwrap(), None), []);
    }

    #[test]
    fn what_is_no_row_gives_nothing() {
        for line in [
            "www:0:65536",
            "www:100000:0",
            "www:100000",
            "www:100000:1:1",
            "www:-1:5",
            "www:4294967295:1",
            "www:4294967290:10",
            ":5:5",
            "# www:5:5",
        ] {
            assert_eq!(rows(line, Uid::new(1).unwrap(), Some("www")), [], "{line}");
        }
    }
}
