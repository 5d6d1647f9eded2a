//! Linux: /proc, which must be a proc file system that hides nobody.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use super::{Pid, Process, Uid};

pub(super) fn under(uid: Uid) -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    let mut seen_self = false;
    let mut seen_init = false;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|n| n.parse::<i32>().ok()) else {
            continue;
        };
        seen_init |= pid == 1;
        seen_self |= pid == Pid::own().get();
        // A process that is gone by now runs under no uid.
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
            continue;
        };
        if !has_ended(&status) && uids(&status).any(|u| u == uid.get()) {
            let name = status.lines().find_map(|l| l.strip_prefix("Name:")).unwrap_or_default();
            found.push(Process { pid: Pid::new(pid), name: name.trim().to_owned() });
        }
    }
    // An empty directory is not an empty list, nor is a list that `hidepid` has cut.
    if seen_self && seen_init { Ok(found) } else { Err(io::Error::from_raw_os_error(libc::ENOENT)) }
}

/// Real, effective, saved and file-system uid.
fn uids(status: &str) -> impl Iterator<Item = u32> {
    let line = status.lines().find_map(|l| l.strip_prefix("Uid:")).unwrap_or_default();
    line.split_whitespace().filter_map(|n| n.parse().ok())
}

fn has_ended(status: &str) -> bool {
    let state = status.lines().find_map(|l| l.strip_prefix("State:")).unwrap_or_default();
    state.trim_start().starts_with(['Z', 'X'])
}

pub(super) fn root_identity(pid: Pid) -> io::Result<(u64, u64)> {
    let root = fs::metadata(format!("/proc/{pid}/root"))?;
    Ok((root.dev(), root.ino()))
}
