//! Linux: /proc/sysvipc, whose columns have names.

use std::fs;
use std::io;

use super::{Kind, Object, Uid};

pub(super) fn of_user(uid: Uid) -> io::Result<Vec<Object>> {
    let mut found = Vec::new();
    for (file, kind) in [("shm", Kind::Memory), ("sem", Kind::Semaphores), ("msg", Kind::Messages)]
    {
        let text = fs::read_to_string(format!("/proc/sysvipc/{file}"))?;
        let ids = parse(&text, uid).ok_or(io::ErrorKind::InvalidData)?;
        found.extend(ids.into_iter().map(|id| Object { kind, id }));
    }
    Ok(found)
}

fn parse(text: &str, uid: Uid) -> Option<Vec<i32>> {
    let mut lines = text.lines();
    let columns: Vec<_> = lines.next()?.split_whitespace().collect();
    let column = |name: &str| columns.iter().position(|column| *column == name);
    let (owner, maker) = (column("uid")?, column("cuid")?);
    let id = ["shmid", "semid", "msqid"].into_iter().find_map(column)?;
    let mut found = Vec::new();
    for line in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at)?.parse::<i64>().ok();
        let uid = i64::from(uid.get());
        if number(owner)? == uid || number(maker)? == uid {
            found.push(i32::try_from(number(id)?).ok()?);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn owners_and_makers_are_found() {
        let text = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n\
                    0          5   600          1    33     0     0     0          0          1\n\
                    0          6   600          1     0     0    33     0          0          1\n\
                    0         33   600          1     0     0     0     0          0          1\n";
        assert_eq!(parse(text, Uid::new(33).unwrap()), Some(vec![5, 6]));
        assert_eq!(parse("x", Uid::new(33).unwrap()), None);
    }
}
