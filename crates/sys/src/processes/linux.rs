//! Linux: /proc, which must be a proc file system that hides nobody, tells which processes there
//! are; the kernel tells who each of them is.

#[path = "linux/credentials.rs"]
mod credentials;
#[path = "linux/listing.rs"]
mod listing;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use super::{Pid, Process, Uid};
use credentials::{Asked, Credentials};
use listing::Proc;

pub(super) fn under(uid: Uid) -> io::Result<Vec<Process>> {
    let proc = Proc::open()?;
    let mut found = Vec::new();
    let mut ways = Credentials::new(&proc);
    proc.each(|pid| {
        if ways.ask(pid)?.is(uid)
            && let Some(status) = proc.status(pid)?
            && is_under(uid, &status)
        {
            found.push(process(pid, &status));
        }
        Ok(())
    })?;
    // A process is known by its first thread. The kernel counts the real uids of all of them.
    if found.is_empty() && credentials::is_a_real_uid(uid) {
        threads_under(uid, &proc, &mut found)?;
    }
    Ok(found)
}

/// For the rare process of which only another thread has the uid.
fn threads_under(uid: Uid, proc: &Proc, found: &mut Vec<Process>) -> io::Result<()> {
    proc.each(|pid| {
        let tasks = match fs::read_dir(format!("/proc/{pid}/task")) {
            Err(error) if listing::is_gone(&error) => return Ok(()),
            tasks => tasks?,
        };
        for task in tasks {
            let status = match fs::read_to_string(task?.path().join("status")) {
                Err(error) if listing::is_gone(&error) => continue,
                status => status?,
            };
            if is_under(uid, &status) {
                found.push(process(pid, &status));
                break;
            }
        }
        Ok(())
    })
}

fn process(pid: i32, status: &str) -> Process {
    let name = field(status, "Name:").trim().to_owned();
    Process { pid: Pid::new(pid), name }
}

/// Whether it has not ended, and one of its uids is this one. Of one that has ended but for
/// other threads, the first thread says so; they keep what it was.
fn is_under(uid: Uid, status: &str) -> bool {
    let ended = field(status, "State:").trim_start().starts_with(['Z', 'X']);
    let threads = field(status, "Threads:").trim().parse::<u32>().unwrap_or(1);
    (!ended || threads > 1) && listing::uids(status).any(|u| u == uid.get())
}

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}

impl Asked {
    fn is(self, uid: Uid) -> bool {
        match self {
            Asked::Gone | Asked::KernelThread => false,
            Asked::Uids(uids) => uids.contains(&uid.get()),
        }
    }
}

pub(super) fn is_no_real_uid(uid: Uid) -> bool {
    !credentials::is_a_real_uid(uid)
}

pub(super) fn root_identity(pid: Pid) -> io::Result<(u64, u64)> {
    let root = fs::metadata(format!("/proc/{pid}/root"))?;
    Ok((root.dev(), root.ino()))
}
